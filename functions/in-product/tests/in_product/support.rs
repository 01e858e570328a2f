//! The function under test, requests and items.

use std::{io::sink, time::Duration};

use aws_config::SdkConfig;
use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use in_product::{Config, InProduct};
use runtime::{
    Deadline, Invocation, Metrics,
    http::{Request, Response},
};
use serde_json::{Value, json};
use store::TableNames;

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

/// The function with these tables.
pub fn in_product(tables: TableNames, aws: &SdkConfig) -> InProduct {
    let config = Config {
        tables,
        environment: "local".to_owned(),
    };
    InProduct::new(config, aws).unwrap()
}

pub fn invocation() -> Invocation {
    let metrics = Metrics::to_writer("in-product", "local", sink());
    let deadline = Deadline::after(Duration::from_secs(15));

    Invocation::new("request".to_owned(), deadline, metrics)
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
