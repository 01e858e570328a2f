//! IAM roles: each allows exactly the calls that are listed here. Each candidate call is tried with
//! the credentials of each function.

pub mod calls;
mod clients;

use anyhow::{Context, Result, ensure};
use local_cloud::{LocalCloud, Options};
use serde_json::json;

use self::{
    calls::{candidate_calls, recorded_calls},
    clients::FunctionClients,
};
use crate::support::{invoke_ok, now, options, read_event, sweep};

/// The calls that each role allows: service, operation and the output that names the resource.
const ALLOWED_CALLS: [(&str, &[&str]); 7] = [
    (
        "FanOutFunction",
        &[
            "dynamodb.BatchGetItem OrganizationsTable",
            "dynamodb.GetItem RunsTable",
            "dynamodb.PutItem RunsTable",
            "dynamodb.UpdateItem RunsTable",
            "secretsmanager.GetSecretValue BillCredentialsSecret",
            "sqs.SendMessage ScheduleDeadLetterQueueUrl",
            "sqs.SendMessage SyncQueueUrl",
        ],
    ),
    (
        "SyncOrganizationFunction",
        &[
            "dynamodb.GetItem OrganizationsTable",
            "dynamodb.GetItem RunsTable",
            "dynamodb.PutItem NoticesTable",
            "dynamodb.PutItem OrganizationsTable",
            "dynamodb.PutItem TransitionsTable",
            "dynamodb.UpdateItem OrganizationsTable",
            "dynamodb.UpdateItem RunsTable",
            "secretsmanager.GetSecretValue AddressKeySecret",
            "secretsmanager.GetSecretValue BillCredentialsSecret",
            "sqs.ReceiveMessage EventsQueueUrl",
            "sqs.ReceiveMessage SyncQueueUrl",
            "sqs.SendMessage SyncDeadLetterQueueUrl",
        ],
    ),
    (
        "NotifyFunction",
        &[
            "dynamodb.BatchGetItem ContactsTable",
            "dynamodb.BatchGetItem OrganizationsTable",
            "dynamodb.GetItem ContactsTable",
            "dynamodb.Query NoticesTable",
            "dynamodb.UpdateItem ContactsTable",
            "dynamodb.UpdateItem NoticesTable",
            "dynamodb.UpdateItem RunsTable",
            "secretsmanager.GetSecretValue UnsubscribeKeysSecret",
            "ses.GetAccount",
            "ses.SendEmail",
            "sqs.SendMessage ScheduleDeadLetterQueueUrl",
            "ssm.GetParameter PauseParameter",
        ],
    ),
    (
        "RecordFeedbackFunction",
        &[
            "dynamodb.GetItem ContactsTable",
            "dynamodb.UpdateItem ContactsTable",
            "dynamodb.UpdateItem NoticesTable",
            "secretsmanager.GetSecretValue AddressKeySecret",
            "sqs.ReceiveMessage FeedbackQueueUrl",
            "sqs.SendMessage FeedbackDeadLetterQueueUrl",
        ],
    ),
    (
        "PreferencesFunction",
        &[
            "dynamodb.GetItem ContactsTable",
            "dynamodb.UpdateItem ContactsTable",
            "secretsmanager.GetSecretValue UnsubscribeKeysSecret",
        ],
    ),
    (
        "InProductFunction",
        &[
            "dynamodb.GetItem NoticesTable",
            "dynamodb.GetItem OrganizationsTable",
            "dynamodb.UpdateItem NoticesTable",
        ],
    ),
    (
        "ReceiveEventsFunction",
        &[
            "secretsmanager.GetSecretValue WebhookKeysSecret",
            "sqs.SendMessage EventsQueueUrl",
        ],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_role_allows_exactly_the_listed_calls() -> Result<()> {
    let cloud = LocalCloud::start(Options {
        organizations: 1,
        fault_proxy: true,
        ..options()
    })
    .await?;
    let candidates = candidate_calls(&cloud)?;
    let mut wrong = Vec::new();

    for (function, allowed) in ALLOWED_CALLS {
        let untried: Vec<_> = allowed
            .iter()
            .filter(|call| !candidates.contains(**call))
            .collect();
        ensure!(untried.is_empty(), "{untried:?} is never tried");

        invoke_once(&cloud, function).await?;
        for call in recorded_calls(&cloud, function)? {
            ensure!(
                allowed.contains(&call.as_str()),
                "{function} calls {call}, which is missing from the list"
            );
        }

        let clients = FunctionClients::for_function(&cloud, function).await?;
        for call in &candidates {
            let is_permitted = clients
                .is_permitted(call)
                .await
                .with_context(|| format!("{function}: {call}"))?;
            if is_permitted != allowed.contains(&call.as_str()) {
                let verb = if is_permitted { "may" } else { "may not" };
                wrong.push(format!("{function} {verb} {call}"));
            }
        }
    }

    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!(
        "{} calls tried as each of {} functions",
        candidates.len(),
        ALLOWED_CALLS.len()
    );
    Ok(())
}

/// Invokes a function, because MiniStack knows a function's credentials only after its first
/// invocation. What fan-out queues is processed before this returns.
async fn invoke_once(cloud: &LocalCloud, function: &str) -> Result<()> {
    let event = match function {
        "FanOutFunction" => return sweep(cloud, now()).await.map(drop),
        "InProductFunction" => read_event("in-product-get.json")?,
        "PreferencesFunction" => read_event("preferences-get.json")?,
        "ReceiveEventsFunction" => read_event("receive-events.json")?,
        "RecordFeedbackFunction" => read_event("record-feedback.json")?,
        "SyncOrganizationFunction" => json!({"Records": []}),
        _ => json!({"time": now().to_string()}),
    };

    invoke_ok(cloud, function, &event).await.map(drop)
}
