//! Requests, tokens, and the function without a table.

use std::{io::sink, time::Duration};

use aws_config::{SdkConfig, retry::RetryConfig};
use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use axum::{
    Router,
    http::{HeaderMap, StatusCode},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use engagement::{AddressHash, Category, EmailSubscription, UnsubscribeKeys};
use preferences::{Config, Preferences};
use runtime::{Deadline, Invocation, Metrics, http::Request};
use serde_json::{Value, json};
use store::TableNames;

pub const FORM: &str = "application/x-www-form-urlencoded";

/// A request as API Gateway sends it. A body whose content type is not text arrives in base64.
pub fn request(method: &str, token: &str, content_type: Option<&str>, body: &[u8]) -> Request {
    let mut headers = json!({ "host": "api.example.com" });
    if let Some(content_type) = content_type {
        headers["content-type"] = json!(content_type);
    }
    from_event(json!({
        "version": "2.0",
        "headers": headers,
        "pathParameters": { "token": token },
        "requestContext": { "http": { "method": method, "path": format!("/unsubscribe/{token}") } },
        "body": BASE64_STANDARD.encode(body),
        "isBase64Encoded": true,
    }))
}

pub fn get(token: &str) -> Request {
    request("GET", token, None, b"")
}

pub fn post(token: &str, form: &str) -> Request {
    request("POST", token, Some(FORM), form.as_bytes())
}

pub fn from_event(event: Value) -> Request {
    serde_json::from_value::<ApiGatewayV2httpRequest>(event)
        .unwrap()
        .into()
}

/// The secret with the keys `k1` and `k2`; `current` names the one that signs.
pub fn keys_json(current: &str) -> Value {
    json!({ "current": current, "k1": "1".repeat(32), "k2": "2".repeat(32) })
}

/// The keys in that secret.
pub fn keys(current: &str) -> UnsubscribeKeys {
    serde_json::from_value(keys_json(current)).unwrap()
}

pub fn subscription(category: Category) -> EmailSubscription {
    EmailSubscription {
        address_hash: AddressHash::from_bytes(&[0xa7; 32]).unwrap(),
        category,
    }
}

/// The parts of a token that must not be logged: the recipient and the signature.
pub fn private_parts(token: &str) -> impl Iterator<Item = &str> {
    token.split('.').filter(|part| part.len() > 10)
}

/// The function with these keys and a DynamoDB that fails, so that every read of the table fails.
pub async fn without_table(keys: &Value) -> Preferences {
    let secret = json!({ "SecretString": keys.to_string() }).to_string();
    let respond = async move |headers: HeaderMap| {
        let is_secret = headers["x-amz-target"] == "secretsmanager.GetSecretValue";
        if is_secret {
            (StatusCode::OK, secret.clone())
        } else {
            (StatusCode::INTERNAL_SERVER_ERROR, String::new())
        }
    };
    let server = test_support::serve(Router::new().fallback(respond)).await;
    let without_retries = test_support::sdk_config(&server)
        .into_builder()
        .retry_config(RetryConfig::disabled())
        .build();
    preferences(
        test_support::table_names(),
        "unsubscribe-keys".to_owned(),
        &without_retries,
    )
}

/// The function with these tables and the secret with this ARN.
pub fn preferences(
    tables: TableNames,
    unsubscribe_keys_secret: String,
    aws: &SdkConfig,
) -> Preferences {
    let config = Config {
        tables,
        unsubscribe_keys_secret,
        environment: "local".to_owned(),
    };
    Preferences::new(config, aws).unwrap()
}

pub fn invocation() -> Invocation {
    let metrics = Metrics::to_writer("preferences", "local", sink());
    let deadline = Deadline::after(Duration::from_secs(15));

    Invocation::new("request".to_owned(), deadline, metrics)
}
