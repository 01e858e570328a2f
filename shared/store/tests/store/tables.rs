//! Empty tables for a test: the five tables of `infra/template.yaml`.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU32, Ordering},
};

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
        KeyType, Projection, ProjectionType, ScalarAttributeType,
    },
};
use engagement::Notice;
use serde_json::{Value, json};
use store::{Contacts, DecisionTables, DecisionWriter, Dismissals, Notices, Organizations, Runs};
use test_support::LocalDynamoDb;

/// Runs behaviours one after the other, each with its own tables. Prints the name of each, so that
/// the output of a failed test shows which one failed.
macro_rules! behaviours {
    ($($behaviour:path,)+) => {{
        let dynamodb = test_support::LocalDynamoDb::start().await;
        $(
            println!(stringify!($behaviour));
            $behaviour(&crate::tables::Tables::create(&dynamodb).await).await;
        )+
    }};
}
pub(crate) use behaviours;

/// Compares the items of a table, with all attributes, to a snapshot.
macro_rules! assert_items {
    ($items:expr, $name:literal) => {{
        let items = $items;
        insta::with_settings!({ sort_maps => true }, { insta::assert_json_snapshot!($name, items) })
    }};
}
pub(crate) use assert_items;

/// The tables of one behaviour. Their names have a prefix that no other behaviour uses.
pub struct Tables {
    pub client: Client,
    prefix: String,
}

impl Tables {
    pub async fn create(dynamodb: &LocalDynamoDb) -> Self {
        static CREATED: AtomicU32 = AtomicU32::new(0);
        let tables = Self {
            client: store::client(&dynamodb.config),
            prefix: format!("test-{}", CREATED.fetch_add(1, Ordering::Relaxed)),
        };
        tables
            .create_table(
                "organizations",
                &["organization_id"],
                &[("by-stage", ["stage", "stage_since"])],
            )
            .await;
        tables
            .create_table(
                "transitions",
                &["organization_id", "at"],
                &[("by-day", ["day", "at"])],
            )
            .await;
        let indexes = [
            ("by-due", ["due_bucket", "due_at"]),
            ("by-status", ["status", "updated_at"]),
        ];
        tables
            .create_table("notices", &["organization_id", "notice"], &indexes)
            .await;
        tables
            .create_table("contacts", &["address_hash"], &[])
            .await;
        tables.create_table("runs", &["run"], &[]).await;

        tables
    }

    pub fn decision_writer(&self) -> DecisionWriter {
        let tables = DecisionTables {
            organizations: self.name("organizations"),
            transitions: self.name("transitions"),
            notices: self.name("notices"),
        };
        DecisionWriter::new(self.client.clone(), tables)
    }

    pub fn organizations(&self) -> Organizations {
        Organizations::new(self.client.clone(), self.name("organizations"))
    }

    pub fn notices(&self) -> Notices {
        Notices::new(
            self.client.clone(),
            self.name("notices"),
            self.name("contacts"),
        )
    }

    pub fn dismissals(&self) -> Dismissals {
        Dismissals::new(self.client.clone(), self.name("notices"))
    }

    pub fn contacts(&self) -> Contacts {
        Contacts::new(self.client.clone(), self.name("contacts"))
    }

    pub fn runs(&self) -> Runs {
        Runs::new(self.client.clone(), self.name("runs"))
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

    fn name(&self, table: &str) -> String {
        format!("{}-{table}", self.prefix)
    }

    async fn create_table(&self, table: &str, key: &[&str], indexes: &[(&str, [&str; 2])]) {
        let mut attributes: Vec<&str> = key
            .iter()
            .copied()
            .chain(indexes.iter().flat_map(|(_, key)| *key))
            .collect();
        attributes.sort_unstable();
        attributes.dedup();
        let indexes: Vec<GlobalSecondaryIndex> =
            indexes.iter().map(|(name, key)| index(name, key)).collect();

        self.client
            .create_table()
            .table_name(self.name(table))
            .billing_mode(BillingMode::PayPerRequest)
            .set_attribute_definitions(Some(attributes.into_iter().map(attribute).collect()))
            .set_key_schema(Some(key_schema(key)))
            .set_global_secondary_indexes((!indexes.is_empty()).then_some(indexes))
            .send()
            .await
            .unwrap();
    }
}

fn attribute(name: &str) -> AttributeDefinition {
    let kind = if name == "due_bucket" {
        ScalarAttributeType::N
    } else {
        ScalarAttributeType::S
    };
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(kind)
        .build()
        .unwrap()
}

fn key_schema(key: &[&str]) -> Vec<KeySchemaElement> {
    let kinds = [KeyType::Hash, KeyType::Range];
    key.iter()
        .zip(kinds)
        .map(|(name, kind)| {
            KeySchemaElement::builder()
                .attribute_name(*name)
                .key_type(kind)
                .build()
                .unwrap()
        })
        .collect()
}

fn index(name: &str, key: &[&str]) -> GlobalSecondaryIndex {
    let projection = Projection::builder()
        .projection_type(ProjectionType::All)
        .build();
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .set_key_schema(Some(key_schema(key)))
        .projection(projection)
        .build()
        .unwrap()
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
        AttributeValue::L(list) => json!({ "L": list.iter().map(value_json).collect::<Vec<_>>() }),
        AttributeValue::Ss(texts) => json!({ "SS": texts }),
        AttributeValue::M(map) => json!({ "M": item_json(map) }),
        other => panic!("unexpected attribute type: {other:?}"),
    }
}
