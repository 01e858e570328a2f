//! Requests to the in-product API, and an organization to show messages to.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use engagement::Stage;
use local_cloud::{HttpApi, LocalCloud};
use reqwest::{Method, Response};
use serde_json::{Value, json};

/// Requests the messages of an organization as the partner's product does.
pub async fn get_messages(api: &HttpApi, organization: &str) -> Result<Response> {
    api.send_signed(Method::GET, &messages_path(organization), &[])
        .await
}

/// The messages of a response. `Err`: the status is not 200.
pub async fn parse_messages(response: Response) -> Result<Vec<Value>> {
    let (status, body) = (response.status(), response.text().await?);
    ensure!(status == 200, "{status}: {body}");
    let body: Value = serde_json::from_str(&body)?;

    Ok(body["messages"].as_array().context("no messages")?.clone())
}

pub fn messages_path(organization: &str) -> String {
    format!("/v1/organizations/{organization}/messages")
}

pub fn dismiss_path(organization: &str, message: &str) -> String {
    format!("{}/{message}/dismiss", messages_path(organization))
}

/// The item of the organization in the examples of `openapi.yaml`, as a sync writes it.
pub fn organization_item(stage: Stage, since: &str) -> Value {
    json!({
        "organization_id": "00802KESTRELBAKEm7q2",
        "name": "Kestrel Bakehouse",
        "stage": stage.to_string(),
        "stage_reason": "none_connected",
        "stage_since": since,
        "checked_at": since,
        "next_check_at": "2099-01-01T00:00:00Z",
        "bank_accounts": 0,
        "verified_bank_accounts": 0,
        "payments_30d": 0,
        "payments_90d": 0,
        "amount_30d": 0,
        "users": 1,
        "contacts": [],
        "steps": {},
        "version": 1,
        "schema_version": 1,
    })
}

pub async fn put_item(cloud: &LocalCloud, table: &str, item: &Value) -> Result<()> {
    let item: HashMap<String, AttributeValue> = serde_dynamo::to_item(item)?;
    cloud
        .dynamodb()
        .put_item()
        .table_name(cloud.output(table)?)
        .set_item(Some(item))
        .send()
        .await?;
    Ok(())
}
