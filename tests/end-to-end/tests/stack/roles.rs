//! IAM roles: each allows exactly the calls that are listed here, and the function makes each of
//! them. Each candidate call is tried with the credentials of each function.

pub mod calls;
mod clients;
mod story;

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use local_cloud::{LocalCloud, Options};

use self::{
    calls::{candidate_calls, recorded_calls},
    clients::FunctionClients,
};
use crate::support::options;

/// The calls that each role allows: service, operation and the output that names the resource.
const ALLOWED_CALLS: [(&str, &[&str]); 7] = [
    (
        "FanOutFunction",
        &[
            "dynamodb.BatchGetItem OrganizationsTable",
            "dynamodb.GetItem RunsTable",
            "dynamodb.PutItem OrganizationsTable",
            "dynamodb.PutItem RunsTable",
            "dynamodb.Query OrganizationsTable/by-next-check",
            "dynamodb.Scan OrganizationsTable",
            "dynamodb.UpdateItem OrganizationsTable",
            "dynamodb.UpdateItem RunsTable",
            "secretsmanager.GetSecretValue BillCredentialsSecret",
            "sqs.SendMessage ScheduleDeadLetterQueueUrl",
            "sqs.SendMessage SyncQueueUrl",
        ],
    ),
    (
        "SyncOrganizationFunction",
        &[
            "dynamodb.BatchGetItem OrganizationsTable",
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
            "dynamodb.Query NoticesTable/by-due",
            "dynamodb.Query NoticesTable/by-status",
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

/// Calls that AWS makes with a function's role: the function's code does not.
const CALLS_BY_AWS: [&str; 4] = [
    "sqs.ReceiveMessage EventsQueueUrl",
    "sqs.ReceiveMessage FeedbackQueueUrl",
    "sqs.ReceiveMessage SyncQueueUrl",
    "sqs.SendMessage ScheduleDeadLetterQueueUrl",
];

#[tokio::test(flavor = "multi_thread")]
async fn each_role_allows_exactly_the_listed_calls_and_each_of_them_is_made() -> Result<()> {
    let options = Options {
        organizations: 10,
        fault_proxy: true,
        ..options()
    };
    let cloud = LocalCloud::start(
        options
            .parameter("DailySendLimit", "1000")
            .parameter("SendCaps", "none"),
    )
    .await?;
    let candidates = candidate_calls(&cloud)?;
    story::run(&cloud).await?;

    for (function, allowed) in ALLOWED_CALLS {
        let made = recorded_calls(&cloud, function)?;
        let expected: BTreeSet<String> = allowed
            .iter()
            .filter(|call| !CALLS_BY_AWS.contains(call))
            .map(|call| (*call).to_owned())
            .collect();
        ensure!(
            made == expected,
            "{function} does not make {:?}, and makes {:?}",
            expected.difference(&made).collect::<Vec<_>>(),
            made.difference(&expected).collect::<Vec<_>>()
        );
    }

    for (function, allowed) in ALLOWED_CALLS {
        only_listed_calls_are_permitted(&cloud, function, allowed, &candidates).await?;
    }
    println!(
        "{} calls tried as each of {} functions",
        candidates.len(),
        ALLOWED_CALLS.len()
    );
    Ok(())
}

async fn only_listed_calls_are_permitted(
    cloud: &LocalCloud,
    function: &str,
    allowed: &[&str],
    candidates: &BTreeSet<String>,
) -> Result<()> {
    let untried: Vec<_> = allowed
        .iter()
        .filter(|call| !candidates.contains(**call))
        .collect();
    ensure!(untried.is_empty(), "{untried:?} is never tried");

    let clients = FunctionClients::for_function(cloud, function).await?;
    let mut wrong = Vec::new();
    for call in candidates {
        let is_permitted = clients
            .is_permitted(call)
            .await
            .with_context(|| format!("{function}: {call}"))?;
        if is_permitted != allowed.contains(&call.as_str()) {
            let verb = if is_permitted { "may" } else { "may not" };
            wrong.push(format!("{function} {verb} {call}"));
        }
    }

    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
