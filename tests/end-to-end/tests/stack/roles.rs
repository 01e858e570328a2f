//! What each function may do: that, and nothing else. Each is asked for every call of a list, with
//! the function's own credentials.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    types::{AttributeValue, KeysAndAttributes},
};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use local_cloud::{LocalCloud, Options};
use serde_json::{Value, json};

use crate::support::{event, options};

/// Service, operation and the output of the stack that names what is touched.
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

/// Each table with its key.
const TABLES: [(&str, &[&str]); 5] = [
    ("ContactsTable", &["address_hash"]),
    ("NoticesTable", &["organization_id", "notice"]),
    ("OrganizationsTable", &["organization_id"]),
    ("RunsTable", &["run"]),
    ("TransitionsTable", &["organization_id", "at"]),
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

#[tokio::test(flavor = "multi_thread")]
async fn each_role_allows_exactly_the_listed_calls() -> Result<()> {
    let cloud = LocalCloud::start(Options {
        organizations: 1,
        fault_proxy: true,
        ..options()
    })
    .await?;
    let asks = asks(&cloud)?;
    let mut wrong = Vec::new();
    for (function, allowed) in ALLOWED_CALLS {
        start(&cloud, function).await?;
        for call in called(&cloud, function)? {
            ensure!(
                allowed.contains(&call.as_str()),
                "{function} calls {call}, which is missing from this list"
            );
        }
        let caller = FunctionClients::of(&cloud, function).await?;
        let unknown: Vec<_> = allowed.iter().filter(|ask| !asks.contains(**ask)).collect();
        ensure!(unknown.is_empty(), "{unknown:?} is never asked for");
        for ask in &asks {
            let is_allowed = caller
                .is_allowed(ask)
                .await
                .with_context(|| format!("{function}: {ask}"))?;
            if is_allowed != allowed.contains(&ask.as_str()) {
                wrong.push(format!(
                    "{function} {} {ask}",
                    if is_allowed { "may" } else { "may not" }
                ));
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!(
        "{} calls asked for as each of {} functions",
        asks.len(),
        ALLOWED_CALLS.len()
    );
    Ok(())
}

/// What a function has called, in the words of the list above.
pub fn called(cloud: &LocalCloud, function: &str) -> Result<BTreeSet<String>> {
    let names: BTreeMap<&str, &str> = cloud
        .outputs()
        .iter()
        .map(|(name, value)| (value, name))
        .collect();
    let calls = cloud
        .faults()?
        .calls()
        .into_iter()
        .filter(|call| call.function.as_deref() == Some(function));
    let actions = calls.flat_map(|call| actions(&call.operation, &call.request));
    let called = actions.map(|(action, request)| {
        let touched = ["TableName", "SecretId", "QueueUrl", "Name"]
            .into_iter()
            .find_map(|field| request[field].as_str());
        let touched = touched.or_else(|| {
            request["RequestItems"]
                .as_object()?
                .keys()
                .next()
                .map(String::as_str)
        });
        let touched = touched.map(|it| names.get(it).copied().unwrap_or(it));
        touched.map_or_else(|| action.clone(), |touched| format!("{action} {touched}"))
    });
    Ok(called.collect())
}

/// What IAM calls an operation, with what it asks for: a transaction is as many actions as it has
/// items, and a batch of messages has none of its own.
fn actions(operation: &str, request: &Value) -> Vec<(String, Value)> {
    if operation != "dynamodb.TransactWriteItems" {
        return vec![(
            operation.replace("SendMessageBatch", "SendMessage"),
            request.clone(),
        )];
    }
    let items = request["TransactItems"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .flatten();
    items
        .map(|(kind, item)| (format!("dynamodb.{kind}Item"), item.clone()))
        .collect()
}

/// MiniStack knows a function's credentials once it has been started. What fan-out has sent is
/// worked off before the next one is.
async fn start(cloud: &LocalCloud, function: &str) -> Result<()> {
    let event = match function {
        "FanOutFunction" => {
            return crate::support::sweep(cloud, crate::support::now())
                .await
                .map(drop);
        }
        "InProductFunction" => event("in-product-get.json")?,
        "PreferencesFunction" => event("preferences-get.json")?,
        "ReceiveEventsFunction" => event("receive-events.json")?,
        "RecordFeedbackFunction" => event("record-feedback.json")?,
        "SyncOrganizationFunction" => json!({"Records": []}),
        _ => json!({"time": crate::support::now().to_string()}),
    };
    crate::support::succeed(cloud, function, &event)
        .await
        .map(drop)
}

/// Everything that is asked for: each operation on each table, queue, secret and so on of the
/// stack.
fn asks(cloud: &LocalCloud) -> Result<BTreeSet<String>> {
    let outputs: BTreeSet<&str> = cloud.outputs().iter().map(|(name, _)| name).collect();
    let tables: BTreeSet<&str> = outputs
        .iter()
        .copied()
        .filter(|name| name.ends_with("Table"))
        .collect();
    ensure!(
        tables.iter().copied().eq(TABLES.map(|(table, _)| table)),
        "a table has no key here: {tables:?}"
    );
    let mut asks = BTreeSet::from([
        "ses.GetAccount".to_owned(),
        "ses.SendEmail".to_owned(),
        "ssm.GetParameter PauseParameter".to_owned(),
    ]);
    for output in outputs {
        let operations: Vec<String> = match output {
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
        };
        asks.extend(
            operations
                .into_iter()
                .map(|operation| format!("{operation} {output}")),
        );
    }
    Ok(asks)
}

/// Calls AWS as a function.
struct FunctionClients {
    outputs: BTreeMap<String, String>,
    dynamodb: aws_sdk_dynamodb::Client,
    secrets: aws_sdk_secretsmanager::Client,
    ses: aws_sdk_sesv2::Client,
    sqs: aws_sdk_sqs::Client,
    ssm: aws_sdk_ssm::Client,
}

impl FunctionClients {
    async fn of(cloud: &LocalCloud, function: &str) -> Result<Self> {
        let config = cloud.config_for_function(function).await?;
        Ok(Self {
            outputs: cloud
                .outputs()
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            ses: aws_sdk_sesv2::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            ssm: aws_sdk_ssm::Client::new(&config),
        })
    }

    /// Asks, in a way that changes no item. `Err`: neither done nor refused for want of permission.
    async fn is_allowed(&self, ask: &str) -> Result<bool> {
        let (operation, output) = ask.split_once(' ').unwrap_or((ask, ""));
        let target = self
            .outputs
            .get(output)
            .map(String::as_str)
            .unwrap_or_default();
        match operation
            .split_once('.')
            .context("an operation without a service")?
        {
            ("dynamodb", operation) => self.table(operation, output, target).await,
            ("secretsmanager", _) => verdict(
                self.secrets
                    .get_secret_value()
                    .secret_id(target)
                    .send()
                    .await,
            ),
            ("sqs", "SendMessage") => {
                let group = target.strip_suffix(".fifo").map(|_| "nobody".to_owned());
                let message = self.sqs.send_message().queue_url(target).message_body("{}");
                verdict(
                    message
                        .set_message_group_id(group.clone())
                        .set_message_deduplication_id(group)
                        .send()
                        .await,
                )
            }
            ("sqs", _) => verdict(
                self.sqs
                    .receive_message()
                    .queue_url(target)
                    .visibility_timeout(0)
                    .send()
                    .await,
            ),
            ("ssm", _) => verdict(self.ssm.get_parameter().name(target).send().await),
            ("ses", "GetAccount") => verdict(self.ses.get_account().send().await),
            ("ses", _) => self.mail().await,
            _ => bail!("unknown"),
        }
    }

    /// Writes under a condition that never holds.
    async fn table(&self, operation: &str, output: &str, table: &str) -> Result<bool> {
        const NEVER: &str = "attribute_exists(never)";
        let (_, names) = TABLES
            .iter()
            .find(|(name, _)| *name == output)
            .context("a table without a key")?;
        let value = || AttributeValue::S("nothing".to_owned());
        let key = Some(
            names
                .iter()
                .map(|name| ((*name).to_owned(), value()))
                .collect(),
        );
        let client = &self.dynamodb;
        match operation {
            "BatchGetItem" => {
                let keys = KeysAndAttributes::builder()
                    .set_keys(key.map(|key| vec![key]))
                    .build()?;
                verdict(
                    client
                        .batch_get_item()
                        .request_items(table, keys)
                        .send()
                        .await,
                )
            }
            "DeleteItem" => verdict(
                client
                    .delete_item()
                    .table_name(table)
                    .set_key(key)
                    .condition_expression(NEVER)
                    .send()
                    .await,
            ),
            "GetItem" => verdict(
                client
                    .get_item()
                    .table_name(table)
                    .set_key(key)
                    .send()
                    .await,
            ),
            "PutItem" => verdict(
                client
                    .put_item()
                    .table_name(table)
                    .set_item(key)
                    .condition_expression(NEVER)
                    .send()
                    .await,
            ),
            "Query" => {
                let query = client
                    .query()
                    .table_name(table)
                    .key_condition_expression("#key = :key");
                verdict(
                    query
                        .expression_attribute_names("#key", names[0])
                        .expression_attribute_values(":key", value())
                        .send()
                        .await,
                )
            }
            "Scan" => verdict(client.scan().table_name(table).send().await),
            "UpdateItem" => {
                let update = client
                    .update_item()
                    .table_name(table)
                    .set_key(key)
                    .condition_expression(NEVER);
                verdict(
                    update
                        .update_expression("SET touched = :by")
                        .expression_attribute_values(":by", value())
                        .send()
                        .await,
                )
            }
            _ => bail!("unknown"),
        }
    }

    async fn mail(&self) -> Result<bool> {
        let text = || Content::builder().data("Hello").build();
        let message = Message::builder()
            .subject(text()?)
            .body(Body::builder().text(text()?).build())
            .build();
        let to = Destination::builder()
            .to_addresses("marisol@kestrelbakehouse.example")
            .build();
        let mail = self
            .ses
            .send_email()
            .from_email_address("engage@example.com")
            .destination(to);
        let set = self
            .outputs
            .get("ConfigurationSet")
            .context("no configuration set")?;
        verdict(
            mail.configuration_set_name(set)
                .content(EmailContent::builder().simple(message).build())
                .send()
                .await,
        )
    }
}

/// Whether a call was done, or would have been but for its condition.
fn verdict<T, E>(answer: Result<T, SdkError<E>>) -> Result<bool>
where
    SdkError<E>: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let Err(error) = answer else { return Ok(true) };
    match error.code() {
        Some("ConditionalCheckFailedException") => Ok(true),
        Some("AccessDeniedException" | "AccessDenied") => Ok(false),
        _ => Err(error.into()),
    }
}
