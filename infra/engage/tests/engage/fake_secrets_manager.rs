//! A fake of Secrets Manager that holds one secret and serves the JSON protocol over HTTP.

use std::sync::Arc;

use aws_sdk_secretsmanager::{
    Client,
    config::{Builder, retry::RetryConfig},
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use bill::events::SecurityKeys;
use parking_lot::Mutex;
use serde_json::{Value, json};

pub const NAME: &str = "webhook-keys";

/// Serves the secret [`NAME`], which has no value at first.
#[derive(Clone, Default)]
pub struct FakeSecretsManager(Arc<Mutex<Secret>>);

#[derive(Default)]
struct Secret {
    text: Option<String>,
    writes: u32,
    fail_after: Option<u32>,
}

impl FakeSecretsManager {
    pub async fn start() -> (Self, Client) {
        let fake = Self::default();
        let server = test_support::serve(
            axum::Router::new()
                .route("/", post(respond))
                .with_state(fake.clone()),
        )
        .await;
        let config = Builder::from(&test_support::sdk_config(&server))
            .retry_config(RetryConfig::disabled())
            .build();

        (fake, Client::from_conf(config))
    }

    /// Refuses every write after the given number of further writes.
    pub fn fail_writes_after(&self, writes: u32) {
        let mut secret = self.0.lock();
        secret.fail_after = Some(secret.writes + writes);
    }

    pub fn allow_writes(&self) {
        self.0.lock().fail_after = None;
    }

    pub fn put(&self, text: &str) {
        self.0.lock().text = Some(text.to_owned());
    }

    pub fn json(&self) -> Value {
        self.0
            .lock()
            .text
            .as_deref()
            .map(|text| serde_json::from_str(text).unwrap())
            .unwrap_or_default()
    }

    /// The keys as the function receive-events reads them; `None` while there is no current key.
    pub fn keys(&self) -> Option<SecurityKeys> {
        serde_json::from_str(self.0.lock().text.as_deref()?).ok()
    }
}

async fn respond(
    State(fake): State<FakeSecretsManager>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, Json<Value>) {
    let request: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(request["SecretId"], NAME);

    let mut secret = fake.0.lock();
    match headers["x-amz-target"].to_str().unwrap() {
        "secretsmanager.GetSecretValue" => match &secret.text {
            Some(text) => (StatusCode::OK, Json(json!({ "SecretString": text }))),
            None => (
                StatusCode::BAD_REQUEST,
                Json(json!({ "__type": "ResourceNotFoundException" })),
            ),
        },
        _ if secret
            .fail_after
            .is_some_and(|writes| secret.writes >= writes) =>
        {
            (
                StatusCode::BAD_REQUEST,
                Json(json!({ "__type": "AccessDeniedException" })),
            )
        }
        _ => {
            secret.writes += 1;
            secret.text = Some(request["SecretString"].as_str().unwrap().to_owned());
            (StatusCode::OK, Json(json!({})))
        }
    }
}
