//! Secrets Manager's JSON protocol over HTTP, as far as one secret goes.

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

/// A secret that is empty at first.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Mutex<Secret>>);

#[derive(Default)]
struct Secret {
    text: Option<String>,
    writes: u32,
    fail_after: Option<u32>,
}

impl Secrets {
    pub async fn start() -> (Self, Client) {
        let this = Self::default();
        let server = test_support::serve(
            axum::Router::new()
                .route("/", post(answer))
                .with_state(this.clone()),
        )
        .await;
        let config = Builder::from(&test_support::sdk_config(&server))
            .retry_config(RetryConfig::disabled())
            .build();
        (this, Client::from_conf(config))
    }

    /// Refuses to be written once it was written so often more.
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

    /// As `receive-events` reads them; none before there is a current one.
    pub fn keys(&self) -> Option<SecurityKeys> {
        serde_json::from_str(self.0.lock().text.as_deref()?).ok()
    }
}

async fn answer(
    State(this): State<Secrets>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, Json<Value>) {
    let request: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(request["SecretId"], NAME);
    let mut secret = this.0.lock();
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
