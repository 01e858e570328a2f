//! DynamoDB, the sync queue and Secrets Manager in the memory of the test: an hour takes
//! milliseconds.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use dynoxide::{Database, DynoxideError, ImportOptions, Item};
use engagement::OrganizationId;
use parking_lot::Mutex;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use store::TableNames;
use test_support::{create_tables, sdk_config};

/// The services, and what was asked of DynamoDB.
pub struct InMemoryAws {
    /// Configuration for the SDK clients that call them.
    pub config: SdkConfig,
    pub names: TableNames,
    services: Arc<Services>,
}

/// Requests to DynamoDB, and the items that they returned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DynamoDbUsage {
    pub requests: u64,
    pub items: u64,
}

struct Services {
    database: Database,
    secrets: HashMap<String, String>,
    messages: Mutex<Vec<String>>,
    usage: Mutex<DynamoDbUsage>,
}

impl InMemoryAws {
    /// The services with empty tables, an empty queue and these secrets.
    pub async fn start(secrets: HashMap<String, String>) -> Self {
        let services = Arc::new(Services {
            database: Database::memory().unwrap(),
            secrets,
            messages: Mutex::default(),
            usage: Mutex::default(),
        });
        let connector = SharedHttpConnector::new(Connector(Arc::clone(&services)));
        let config = sdk_config("http://127.0.0.1:1")
            .into_builder()
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build();

        Self {
            names: create_tables(&config, str::to_owned).await,
            config,
            services,
        }
    }

    /// Puts organizations' items, without asking DynamoDB.
    pub fn import_organizations(&self, items: Vec<Item>) {
        let (database, table) = (&self.services.database, &self.names.organizations_table);
        database
            .import_items(table, items, ImportOptions::default())
            .unwrap();
    }

    /// Puts an organization's item: texts as `S`, numbers as `N`.
    pub async fn put_organization(&self, item: &Value) {
        aws_sdk_dynamodb::Client::new(&self.config)
            .put_item()
            .table_name(&self.names.organizations_table)
            .set_item(Some(serde_dynamo::to_item(item).unwrap()))
            .send()
            .await
            .unwrap();
    }

    /// The organizations that have notices.
    pub async fn organizations_with_notices(&self) -> BTreeSet<OrganizationId> {
        let scan = aws_sdk_dynamodb::Client::new(&self.config)
            .scan()
            .table_name(&self.names.notices_table)
            .into_paginator()
            .items()
            .send();
        let items = scan.collect::<Result<Vec<_>, _>>().await.unwrap();
        items
            .iter()
            .map(|item| item["organization_id"].as_s().unwrap().parse().unwrap())
            .collect()
    }

    /// What was asked of DynamoDB since the last call.
    pub fn take_usage(&self) -> DynamoDbUsage {
        std::mem::take(&mut self.services.usage.lock())
    }

    /// The messages that were sent since the last call.
    pub fn take_messages(&self) -> Vec<String> {
        std::mem::take(&mut self.services.messages.lock())
    }
}

/// Takes the place of the network.
struct Connector(Arc<Services>);

impl fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap();
        let body = request.body().bytes().unwrap();
        HttpConnectorFuture::ready(Ok(self.0.answer(target, body)))
    }
}

impl Services {
    fn answer(&self, target: &str, body: &[u8]) -> HttpResponse {
        let answer = match target.split_once('.').unwrap() {
            ("AmazonSQS", "SendMessageBatch") => Ok(self.send_messages(body).to_string()),
            ("secretsmanager", "GetSecretValue") => Ok(self.secret(body).to_string()),
            ("DynamoDB_20120810", operation) => self.dynamodb(operation, body),
            _ => panic!("unexpected call: {target}"),
        };
        let (status, body) = match answer {
            Ok(body) => (200, body),
            Err(error) => (error.status_code(), error.to_json()),
        };

        HttpResponse::new(status.try_into().unwrap(), body.into())
    }

    fn send_messages(&self, body: &[u8]) -> Value {
        let request: Value = serde_json::from_slice(body).unwrap();
        let sent = request["Entries"].as_array().unwrap().iter().map(|entry| {
            let body = entry["MessageBody"].as_str().unwrap();
            self.messages.lock().push(body.to_owned());
            json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "m" })
        });
        json!({ "Successful": sent.collect::<Vec<_>>(), "Failed": [] })
    }

    fn secret(&self, body: &[u8]) -> Value {
        let request: Value = serde_json::from_slice(body).unwrap();
        let name = request["SecretId"].as_str().unwrap();
        json!({ "ARN": name, "Name": name, "SecretString": self.secrets[name] })
    }

    fn dynamodb(&self, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
        let database = &self.database;
        let answer = match operation {
            "BatchGetItem" => call(body, |request| database.batch_get_item(request)),
            "CreateTable" => call(body, |request| database.create_table(request)),
            "GetItem" => call(body, |request| database.get_item(request)),
            "PutItem" => call(body, |request| database.put_item(request)),
            "Query" => call(body, |request| database.query(request)),
            "Scan" => call(body, |request| database.scan(request)),
            "TransactWriteItems" => call(body, |request| database.transact_write_items(request)),
            "UpdateItem" => call(body, |request| database.update_item(request)),
            _ => panic!("unexpected operation: {operation}"),
        }?;

        let mut usage = self.usage.lock();
        usage.requests += 1;
        usage.items += match (&answer["Items"], &answer["Item"], &answer["Responses"]) {
            (Value::Array(items), ..) => items.len() as u64,
            (_, Value::Object(_), _) => 1,
            (.., Value::Object(tables)) => tables
                .values()
                .filter_map(Value::as_array)
                .map(|items| items.len() as u64)
                .sum(),
            _ => 0,
        };
        Ok(answer.to_string())
    }
}

fn call<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    operation: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<Value, DynoxideError> {
    let request = serde_json::from_slice(body).unwrap();

    Ok(serde_json::to_value(operation(request)?).unwrap())
}
