//! Reads whole tables.

use anyhow::Result;
use serde_json::Value;

/// Every item of a table as JSON.
pub(crate) async fn scan(dynamodb: &aws_sdk_dynamodb::Client, table: &str) -> Result<Vec<Value>> {
    let mut items = dynamodb
        .scan()
        .table_name(table)
        .into_paginator()
        .items()
        .send();

    let mut values = Vec::new();
    while let Some(item) = items.try_next().await? {
        values.push(serde_dynamo::from_item(item)?);
    }

    Ok(values)
}
