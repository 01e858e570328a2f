//! Deliveries as API Gateway sends them to the function.

use std::{io::sink, time::Duration};

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::{Engine, prelude::BASE64_STANDARD};
use bill::events::SecurityKey;
use jiff::Timestamp;
use runtime::{Deadline, Invocation, Metrics, http::Request};
use serde_json::{Value, json};

pub const KEY: &str = "fake-security-key-3b1f";
pub const SECRET: &str =
    r#"{"current":"fake-security-key-3b1f","previous":"fake-security-key-9c02"}"#;
pub const ORGANIZATION: &str = "00802KESTRELBAKEm7q2";

/// When the deliveries are received, unless a test says otherwise.
pub fn received_at() -> Timestamp {
    "2026-11-23T09:00:30Z".parse().unwrap()
}

/// An invocation at [`received_at`].
pub fn invocation() -> Invocation {
    let metrics = Metrics::to_writer("receive-events", "local", sink());
    let deadline = Deadline::after(Duration::from_secs(15));

    Invocation {
        started_at: received_at(),
        ..Invocation::new("request".to_owned(), deadline, metrics)
    }
}

pub fn signature(key: &str, body: &[u8]) -> String {
    SecurityKey::new(key.to_owned()).unwrap().sign(body)
}

/// A request with this signature. API Gateway encodes a body in base64 unless its type is text:
/// `base64` says which of the two the request has.
pub fn request(method: &str, signature: Option<&str>, body: &[u8], base64: bool) -> Request {
    let mut headers = json!({ "content-type": "application/json" });
    if let Some(signature) = signature {
        headers["x-bill-sha-signature"] = json!(signature);
    }

    let body = if base64 {
        BASE64_STANDARD.encode(body)
    } else {
        String::from_utf8(body.to_vec()).unwrap()
    };
    let event = json!({
        "version": "2.0",
        "headers": headers,
        "requestContext": { "http": { "method": method, "path": "/bill/events" } },
        "body": body,
        "isBase64Encoded": base64,
    });

    serde_json::from_value::<ApiGatewayV2httpRequest>(event)
        .unwrap()
        .into()
}

/// A delivery with a valid signature.
pub fn signed(body: &Value) -> Request {
    let body = body.to_string().into_bytes();

    request("POST", Some(&signature(KEY, &body)), &body, true)
}

/// A notification with personal data, as BILL sends it.
pub fn notification(organization: &str, event_id: &str, event_type: &str) -> Value {
    json!({
        "metadata": {
            "eventId": event_id,
            "organizationId": organization,
            "eventType": event_type,
            "version": "1",
        },
        "bank-account": {
            "id": "bac02KESTRELBANKicn4",
            "nameOnAccount": "Marisol Quebrada",
            "status": "VERIFIED",
        },
    })
}
