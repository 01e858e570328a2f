//! Empty tables for a test: those of `infra/template.yaml`.

use std::{collections::HashMap, ops::Deref};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use engagement::Notice;
use serde_json::{Value, json};
use store::TableNames;
use test_support::LocalAws;

/// Compares the items of a table, with all attributes, to a snapshot.
macro_rules! assert_items {
    ($items:expr, $name:literal) => {{
        let items = $items;
        insta::with_settings!({ sort_maps => true }, { insta::assert_json_snapshot!($name, items) })
    }};
}
pub(crate) use assert_items;

/// The tables of one test.
pub struct Tables {
    pub client: Client,
    names: TableNames,
    store: store::Tables,
}

impl Deref for Tables {
    type Target = store::Tables;

    fn deref(&self) -> &store::Tables {
        &self.store
    }
}

impl Tables {
    pub async fn create() -> Self {
        let aws = LocalAws::connect();
        let client = store::client(&aws.config);
        let names = aws.create_tables().await;

        Self {
            store: store::Tables::new(client.clone(), names.clone()),
            client,
            names,
        }
    }

    /// The same tables through another client.
    pub fn with_client(&self, client: Client) -> store::Tables {
        store::Tables::new(client, self.names.clone())
    }

    /// All items of a table in DynamoDB's JSON format, ordered by their keys.
    pub async fn items(&self, table: &str) -> Vec<Value> {
        let scan = self
            .client
            .scan()
            .table_name(self.name(table))
            .into_paginator()
            .items()
            .send();
        let items = scan.collect::<Result<Vec<_>, _>>().await.unwrap();
        let mut items: Vec<Value> = items.iter().map(item_json).collect();
        let key = |item: &Value| {
            ["organization_id", "at", "notice", "address_hash", "run"]
                .map(|name| item[name].to_string())
        };
        items.sort_by_key(key);

        items
    }

    /// The number of items in an index.
    pub async fn index_item_count(&self, table: &str, index: &str) -> usize {
        let scan = self
            .client
            .scan()
            .table_name(self.name(table))
            .index_name(index)
            .into_paginator()
            .items()
            .send();
        scan.collect::<Result<Vec<_>, _>>().await.unwrap().len()
    }

    /// Puts an item: strings as `S`, numbers as `N`.
    pub async fn put(&self, table: &str, item: Value) {
        let item: HashMap<String, AttributeValue> = serde_dynamo::to_item(item).unwrap();
        self.client
            .put_item()
            .table_name(self.name(table))
            .set_item(Some(item))
            .send()
            .await
            .unwrap();
    }

    /// Overwrites a string attribute of a notice.
    pub async fn set(&self, notice: &Notice, attribute: &str, value: &str) {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        self.client
            .update_item()
            .table_name(self.name("notices"))
            .key("organization_id", text(notice.organization_id.as_str()))
            .key("notice", text(notice.notice.as_str()))
            .update_expression("SET #attribute = :value")
            .expression_attribute_names("#attribute", attribute)
            .expression_attribute_values(":value", text(value))
            .send()
            .await
            .unwrap();
    }

    fn name(&self, table: &str) -> &str {
        match table {
            "organizations" => &self.names.organizations_table,
            "transitions" => &self.names.transitions_table,
            "notices" => &self.names.notices_table,
            "contacts" => &self.names.contacts_table,
            "runs" => &self.names.runs_table,
            other => panic!("there is no table {other}"),
        }
    }
}

fn item_json(item: &HashMap<String, AttributeValue>) -> Value {
    Value::Object(
        item.iter()
            .map(|(name, value)| (name.clone(), value_json(value)))
            .collect(),
    )
}

fn value_json(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(value) => json!({ "BOOL": value }),
        AttributeValue::L(list) => json!({ "L": list.iter().map(value_json).collect::<Vec<_>>() }),
        AttributeValue::Ss(texts) => json!({ "SS": texts }),
        AttributeValue::M(map) => json!({ "M": item_json(map) }),
        other => panic!("unexpected attribute type: {other:?}"),
    }
}
