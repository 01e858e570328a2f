//! Calls in the form `service.Operation Output`, where the stack's output names the resource, or
//! `dynamodb.Query Output/index`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use local_cloud::LocalCloud;
use serde_json::Value;

/// Each table with its key.
pub const TABLE_KEYS: [(&str, &[&str]); 5] = [
    ("ContactsTable", &["address_hash"]),
    ("NoticesTable", &["organization_id", "notice"]),
    ("OrganizationsTable", &["organization_id"]),
    ("RunsTable", &["run"]),
    ("TransitionsTable", &["organization_id", "at"]),
];

/// Each index: its table, its name and its partition key.
pub const INDEXES: [(&str, &str, &str); 5] = [
    ("NoticesTable", "by-due", "due_bucket"),
    ("NoticesTable", "by-status", "status"),
    ("OrganizationsTable", "by-next-check", "check_bucket"),
    ("OrganizationsTable", "by-stage", "stage"),
    ("TransitionsTable", "by-day", "day"),
];

const TABLE_OPERATIONS: [&str; 7] = [
    "BatchGetItem",
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "Scan",
    "UpdateItem",
];

/// The calls that a function has made, as the fault proxy recorded them.
pub fn recorded_calls(cloud: &LocalCloud, function: &str) -> Result<BTreeSet<String>> {
    let outputs: BTreeMap<&str, &str> = cloud
        .outputs()
        .iter()
        .map(|(name, value)| (value, name))
        .collect();
    let calls = cloud
        .fault_proxy()?
        .calls()
        .into_iter()
        .filter(|call| call.function.as_deref() == Some(function));

    Ok(calls
        .flat_map(|call| iam_actions(&call.operation, &call.request))
        .map(|(action, request)| match resource(&request) {
            Some(resource) => {
                let output = outputs.get(resource).copied().unwrap_or(resource);
                let index = request["IndexName"].as_str();
                let index = index.map_or(String::new(), |index| format!("/{index}"));
                format!("{action} {output}{index}")
            }
            None => action,
        })
        .collect())
}

/// The IAM actions of an operation, each with its part of the request. A transaction has one action
/// for each item; a batch of SQS messages has the action of a single message.
fn iam_actions(operation: &str, request: &Value) -> Vec<(String, Value)> {
    if operation != "dynamodb.TransactWriteItems" {
        let action = operation.replace("SendMessageBatch", "SendMessage");
        return vec![(action, request.clone())];
    }

    request["TransactItems"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .flatten()
        .map(|(kind, item)| (format!("dynamodb.{kind}Item"), item.clone()))
        .collect()
}

/// The table, secret, queue or parameter of a request.
fn resource(request: &Value) -> Option<&str> {
    let field = ["TableName", "SecretId", "QueueUrl", "Name"]
        .into_iter()
        .find_map(|field| request[field].as_str());

    field.or_else(|| {
        request["RequestItems"]
            .as_object()?
            .keys()
            .next()
            .map(String::as_str)
    })
}

/// All calls that are tried: each operation on each table, index, queue and secret of the stack, and the
/// operations of SES and SSM that notify uses.
pub fn candidate_calls(cloud: &LocalCloud) -> Result<BTreeSet<String>> {
    let outputs: BTreeSet<&str> = cloud.outputs().iter().map(|(name, _)| name).collect();
    let tables = outputs
        .iter()
        .copied()
        .filter(|name| name.ends_with("Table"));
    ensure!(
        tables.clone().eq(TABLE_KEYS.map(|(table, _)| table)),
        "TABLE_KEYS lacks a table: {:?}",
        tables.collect::<Vec<_>>()
    );

    let mut calls = BTreeSet::from([
        "ses.GetAccount".to_owned(),
        "ses.SendEmail".to_owned(),
        "ssm.GetParameter PauseParameter".to_owned(),
    ]);
    calls.extend(INDEXES.map(|(table, index, _)| format!("dynamodb.Query {table}/{index}")));
    for output in outputs.iter().copied() {
        calls.extend(
            operations(output)
                .into_iter()
                .map(|operation| format!("{operation} {output}")),
        );
    }
    Ok(calls)
}

/// The operations that are tried on the resource of an output.
fn operations(output: &str) -> Vec<String> {
    match output {
        table if table.ends_with("Table") => TABLE_OPERATIONS
            .map(|operation| format!("dynamodb.{operation}"))
            .to_vec(),
        queue if queue.ends_with("QueueUrl") => vec![
            "sqs.ReceiveMessage".to_owned(),
            "sqs.SendMessage".to_owned(),
        ],
        secret if secret.ends_with("Secret") => {
            vec!["secretsmanager.GetSecretValue".to_owned()]
        }
        _ => Vec::new(),
    }
}
