//! The function under test, requests and items.

use std::io::sink;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use aws_sdk_dynamodb::Client;
use content::Content;
use in_product::InProduct;
use runtime::{
    Metrics,
    http::{Request, Response},
};
use serde_json::{Value, json};
use store::{Dismissals, Organizations};

pub const ORGANIZATION: &str = "00802KESTRELBAKEm7q2";

/// A request as API Gateway sends it to the function.
pub fn request(
    method: &str,
    organization: &str,
    message: Option<&str>,
    headers: &Value,
) -> Request {
    let mut parameters = json!({ "organization_id": organization });
    if let Some(message) = message {
        parameters["message_id"] = json!(message);
    }

    let event = json!({
        "version": "2.0",
        "headers": headers,
        "pathParameters": parameters,
        "requestContext": { "http": { "method": method, "path": "/v1/organizations" } },
        "isBase64Encoded": false,
    });

    serde_json::from_value::<ApiGatewayV2httpRequest>(event)
        .unwrap()
        .into()
}

pub fn get(organization: &str) -> Request {
    request("GET", organization, None, &json!({}))
}

pub fn dismiss(organization: &str, message: &str) -> Request {
    request("POST", organization, Some(message), &json!({}))
}

/// The function with the tables `organizations` and `notices`.
pub fn in_product(client: &Client) -> InProduct {
    InProduct {
        organizations: Organizations::new(client.clone(), "organizations".to_owned()),
        dismissals: Dismissals::new(client.clone(), "notices".to_owned()),
        content: Content::embedded().unwrap(),
    }
}

pub fn metrics() -> Metrics {
    Metrics::to_writer("in-product", "local", sink())
}

pub fn json_of(response: &Response) -> Value {
    serde_json::from_str(response.body()).unwrap()
}

/// The item of an organization, as a sync writes it.
pub fn organization(stage: &str, reason: &str, since: &str) -> Value {
    json!({
        "organization_id": ORGANIZATION,
        "name": "Kestrel Bakehouse",
        "stage": stage,
        "stage_reason": reason,
        "stage_since": since,
        "checked_at": since,
        "next_check_at": since,
        "bank_accounts": 1,
        "verified_bank_accounts": 0,
        "payments_30d": 0,
        "payments_90d": 0,
        "amount_30d": 0,
        "users": 1,
        "contacts": ["00602MARISOLQUEBa81c"],
        "steps": {},
        "version": 1,
        "schema_version": 1,
    })
}
