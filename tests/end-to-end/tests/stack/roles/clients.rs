//! AWS clients with a function's credentials, which try a call without a lasting effect.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    types::{AttributeValue, KeysAndAttributes},
};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use local_cloud::LocalCloud;

use super::calls::{INDEXES, TABLE_KEYS};

/// Calls AWS with the role of a function.
pub struct FunctionClients {
    outputs: BTreeMap<String, String>,
    dynamodb: aws_sdk_dynamodb::Client,
    secrets: aws_sdk_secretsmanager::Client,
    ses: aws_sdk_sesv2::Client,
    sqs: aws_sdk_sqs::Client,
    ssm: aws_sdk_ssm::Client,
}

impl FunctionClients {
    /// The function must have been invoked before.
    pub async fn for_function(cloud: &LocalCloud, function: &str) -> Result<Self> {
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

    /// Whether IAM permits a call. The call changes no item. `Err`: it failed for another reason
    /// than a missing permission.
    pub async fn is_permitted(&self, call: &str) -> Result<bool> {
        let (operation, output) = call.split_once(' ').unwrap_or((call, ""));
        if let Some((output, index)) = output.split_once('/') {
            return self.try_index(output, index).await;
        }
        let resource = self
            .outputs
            .get(output)
            .map(String::as_str)
            .unwrap_or_default();

        match operation
            .split_once('.')
            .context("an operation without a service")?
        {
            ("dynamodb", operation) => self.try_table_operation(operation, output, resource).await,
            ("secretsmanager", _) => {
                let request = self.secrets.get_secret_value().secret_id(resource);
                is_permitted(request.send().await)
            }
            ("sqs", "SendMessage") => self.send_message(resource).await,
            ("sqs", _) => {
                let request = self.sqs.receive_message().queue_url(resource);
                is_permitted(request.visibility_timeout(0).send().await)
            }
            ("ssm", _) => is_permitted(self.ssm.get_parameter().name(resource).send().await),
            ("ses", "GetAccount") => is_permitted(self.ses.get_account().send().await),
            ("ses", _) => self.send_email().await,
            _ => bail!("unknown service"),
        }
    }

    async fn try_index(&self, output: &str, index: &str) -> Result<bool> {
        let (_, _, partition_key) = INDEXES
            .iter()
            .find(|(_, name, _)| *name == index)
            .context("INDEXES lacks the index")?;
        let value = if partition_key.ends_with("_bucket") {
            AttributeValue::N("0".to_owned())
        } else {
            AttributeValue::S("nothing".to_owned())
        };
        let request = self
            .dynamodb
            .query()
            .table_name(&self.outputs[output])
            .index_name(index)
            .key_condition_expression("#key = :key")
            .expression_attribute_names("#key", *partition_key)
            .expression_attribute_values(":key", value);

        is_permitted(request.send().await)
    }

    /// Writes have a condition that never holds.
    async fn try_table_operation(
        &self,
        operation: &str,
        output: &str,
        table: &str,
    ) -> Result<bool> {
        const NEVER: &str = "attribute_exists(never)";

        let (_, names) = TABLE_KEYS
            .iter()
            .find(|(name, _)| *name == output)
            .context("TABLE_KEYS lacks the table")?;
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
                let request = client.batch_get_item().request_items(table, keys);
                is_permitted(request.send().await)
            }
            "DeleteItem" => {
                let request = client.delete_item().table_name(table).set_key(key);
                is_permitted(request.condition_expression(NEVER).send().await)
            }
            "GetItem" => {
                let request = client.get_item().table_name(table).set_key(key);
                is_permitted(request.send().await)
            }
            "PutItem" => {
                let request = client.put_item().table_name(table).set_item(key);
                is_permitted(request.condition_expression(NEVER).send().await)
            }
            "Query" => {
                let request = client
                    .query()
                    .table_name(table)
                    .key_condition_expression("#key = :key")
                    .expression_attribute_names("#key", names[0])
                    .expression_attribute_values(":key", value());
                is_permitted(request.send().await)
            }
            "Scan" => is_permitted(client.scan().table_name(table).send().await),
            "UpdateItem" => {
                let request = client
                    .update_item()
                    .table_name(table)
                    .set_key(key)
                    .condition_expression(NEVER)
                    .update_expression("SET touched = :by")
                    .expression_attribute_values(":by", value());
                is_permitted(request.send().await)
            }
            _ => bail!("unknown operation"),
        }
    }

    async fn send_message(&self, queue_url: &str) -> Result<bool> {
        let group = queue_url.strip_suffix(".fifo").map(|_| "nobody".to_owned());
        let request = self
            .sqs
            .send_message()
            .queue_url(queue_url)
            .message_body("{}")
            .set_message_group_id(group.clone())
            .set_message_deduplication_id(group);

        is_permitted(request.send().await)
    }

    async fn send_email(&self) -> Result<bool> {
        let text = || Content::builder().data("Hello").build();
        let message = Message::builder()
            .subject(text()?)
            .body(Body::builder().text(text()?).build())
            .build();
        let to = Destination::builder()
            .to_addresses("marisol@kestrelbakehouse.example")
            .build();
        let configuration_set = self
            .outputs
            .get("ConfigurationSet")
            .context("no configuration set")?;
        let request = self
            .ses
            .send_email()
            .from_email_address("engage@example.com")
            .destination(to)
            .configuration_set_name(configuration_set)
            .content(EmailContent::builder().simple(message).build());

        is_permitted(request.send().await)
    }
}

/// Whether a call was permitted: it succeeded, or failed only because of its condition.
fn is_permitted<T, E>(response: Result<T, SdkError<E>>) -> Result<bool>
where
    SdkError<E>: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let Err(error) = response else {
        return Ok(true);
    };

    match error.code() {
        Some("ConditionalCheckFailedException") => Ok(true),
        Some("AccessDeniedException" | "AccessDenied") => Ok(false),
        _ => Err(error.into()),
    }
}
