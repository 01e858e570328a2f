//! A local Secrets Manager, and secrets that it serves.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use aws_config::{SdkConfig, retry::RetryConfig};
use axum::{Json, extract::State, http::StatusCode, routing::post};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::secrets::Secret;

pub const ARN: &str =
    "arn:aws:secretsmanager:us-east-1:000000000000:secret:partner-credentials-a1b2c3";
pub const SHAPE: &str = r#"{"username","password","appKey","devKey"}"#;

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "the tests use the field names only")]
pub struct Credentials {
    username: SecretString,
    password: SecretString,
}

/// An HTTP server with the `GetSecretValue` operation of Secrets Manager.
#[derive(Clone)]
pub struct SecretsManager {
    response: Arc<parking_lot::Mutex<(StatusCode, Value)>>,
    requests: Arc<AtomicUsize>,
}

impl SecretsManager {
    pub async fn start(status: StatusCode, response: Value) -> (Self, SdkConfig) {
        let this = Self {
            response: Arc::new(parking_lot::Mutex::new((status, response))),
            requests: Arc::default(),
        };
        let router = axum::Router::new()
            .route("/", post(Self::get_secret_value))
            .with_state(this.clone());
        let config = test_support::sdk_config(&test_support::serve(router).await)
            .into_builder()
            .retry_config(RetryConfig::disabled())
            .build();
        (this, config)
    }

    pub async fn with_text(text: &str) -> (Self, SdkConfig) {
        Self::start(StatusCode::OK, json!({ "SecretString": text })).await
    }

    async fn get_secret_value(State(this): State<Self>, body: String) -> (StatusCode, Json<Value>) {
        let request: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(request["SecretId"], ARN);
        this.requests.fetch_add(1, Ordering::SeqCst);
        // Concurrent callers wait for the lock in the meantime.
        tokio::task::yield_now().await;
        let (status, response) = this.response.lock().clone();
        (status, Json(response))
    }

    pub fn set_response(&self, status: StatusCode, response: Value) {
        *self.response.lock() = (status, response);
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

pub fn credentials(config: &SdkConfig) -> Secret<Credentials> {
    Secret::json(config, ARN.to_owned(), "partner credentials").with_shape(SHAPE)
}

pub fn text(config: &SdkConfig) -> Secret<SecretString> {
    Secret::text(config, ARN.to_owned(), "token key")
}
