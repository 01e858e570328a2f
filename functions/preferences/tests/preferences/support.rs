//! Requests, tokens, and the function without a table.

use std::io::sink;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::{Engine, prelude::BASE64_STANDARD};
use engagement::{AddressHash, Category, EmailSubscription, UnsubscribeKeys};
use preferences::{Preferences, Responses};
use runtime::{Metrics, http::Request};
use serde_json::{Value, json};
use store::Contacts;

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

/// The keys `k1` and `k2`; `current` names the one that signs.
pub fn keys(current: &str) -> UnsubscribeKeys {
    serde_json::from_value(
        json!({ "current": current, "k1": "1".repeat(32), "k2": "2".repeat(32) }),
    )
    .unwrap()
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

/// The function with a table that cannot be reached, so that every read fails.
pub fn without_table() -> Preferences {
    let contacts = Contacts::new(
        store::client(&test_support::sdk_config("http://127.0.0.1:1")),
        "contacts".to_owned(),
    );
    Preferences {
        contacts,
        responses: Responses::embedded().unwrap(),
    }
}

pub fn metrics() -> Metrics {
    Metrics::to_writer("preferences", "local", sink())
}
