//! The local AWS of a test run: one MiniStack process that all tests share.

use aws_config::SdkConfig;
use serde_json::Value;
use store::TableNames;
use uuid::Uuid;

use crate::{create_tables, sdk_config::sdk_config};

/// The local AWS, and names in it that no other test uses.
///
/// `cargo nextest run` starts it before the first test that needs it (`.config/nextest.toml`), and
/// it ends with the run.
pub struct LocalAws {
    /// Configuration for the SDK clients that call it.
    pub config: SdkConfig,
    prefix: String,
}

impl LocalAws {
    /// Connects to the local AWS of this test run.
    ///
    /// # Panics
    ///
    /// When there is none, because the tests do not run under nextest.
    #[expect(
        clippy::disallowed_methods,
        reason = "the setup script of nextest passes the endpoint in the environment"
    )]
    pub fn connect() -> Self {
        let endpoint = std::env::var("LOCAL_AWS_ENDPOINT")
            .expect("this test needs the local AWS: run it with `cargo nextest run --workspace`");

        Self {
            config: sdk_config(&endpoint),
            prefix: Uuid::new_v4().simple().to_string(),
        }
    }

    /// A name that no other test uses.
    pub fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    /// Creates the tables of `infra/template.yaml`, empty, and returns their names.
    pub async fn create_tables(&self) -> TableNames {
        create_tables(&self.config, |logical_id| self.name(logical_id)).await
    }

    /// Puts an item: texts as `S`, numbers as `N`.
    pub async fn put_item(&self, table: &str, item: Value) {
        aws_sdk_dynamodb::Client::new(&self.config)
            .put_item()
            .table_name(table)
            .set_item(Some(serde_dynamo::to_item(item).unwrap()))
            .send()
            .await
            .unwrap();
    }

    /// The items of a table.
    pub async fn items(&self, table: &str) -> Vec<Value> {
        let scan = aws_sdk_dynamodb::Client::new(&self.config)
            .scan()
            .table_name(table)
            .into_paginator()
            .items()
            .send();
        let items = scan.collect::<Result<Vec<_>, _>>().await.unwrap();
        serde_dynamo::from_items(items).unwrap()
    }

    /// Creates a secret with this text and returns its ARN.
    pub async fn create_secret(&self, name: &str, text: &str) -> String {
        let created = aws_sdk_secretsmanager::Client::new(&self.config)
            .create_secret()
            .name(self.name(name))
            .secret_string(text)
            .send()
            .await
            .unwrap();
        created.arn.unwrap()
    }

    /// Creates a queue and returns its URL.
    pub async fn create_queue(&self, name: &str) -> String {
        let created = aws_sdk_sqs::Client::new(&self.config)
            .create_queue()
            .queue_name(self.name(name))
            .send()
            .await
            .unwrap();
        created.queue_url.unwrap()
    }

    /// Receives the bodies of all messages of a queue, and deletes the messages.
    pub async fn drain_queue(&self, url: &str) -> Vec<String> {
        let client = aws_sdk_sqs::Client::new(&self.config);
        let mut bodies = Vec::new();
        loop {
            let received = client
                .receive_message()
                .queue_url(url)
                .max_number_of_messages(10)
                .send()
                .await
                .unwrap();
            if received.messages().is_empty() {
                return bodies;
            }

            for message in received.messages.unwrap_or_default() {
                client
                    .delete_message()
                    .queue_url(url)
                    .receipt_handle(message.receipt_handle.unwrap())
                    .send()
                    .await
                    .unwrap();
                bodies.push(message.body.unwrap());
            }
        }
    }
}
