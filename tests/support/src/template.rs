//! The tables as `infra/template.yaml` declares them.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
        Projection, ProjectionType, ScalarAttributeType,
    },
};
use serde::Deserialize;
use store::TableNames;
use yaml_serde::Value;

const TEMPLATE: &str = include_str!("../../../infra/template.yaml");

#[derive(Deserialize)]
struct Template {
    #[serde(rename = "Resources")]
    resources: BTreeMap<String, Value>,
}

/// A table.
pub struct Table {
    /// Its name in the template, such as `OrganizationsTable`.
    pub logical_id: String,
    properties: TableProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TableProperties {
    attribute_definitions: Vec<Attribute>,
    key_schema: Vec<KeyElement>,
    #[serde(default)]
    global_secondary_indexes: Vec<Index>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    attribute_name: String,
    attribute_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyElement {
    attribute_name: String,
    key_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Index {
    #[serde(rename = "IndexName")]
    name: String,
    key_schema: Vec<KeyElement>,
    projection: IndexProjection,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IndexProjection {
    projection_type: String,
}

/// Creates the tables of the template, empty, with the names that `name` gives to their logical ids.
pub async fn create_tables(config: &SdkConfig, name: impl Fn(&str) -> String) -> TableNames {
    let client = Client::new(config);
    for table in tables() {
        table.create(&client, &name(&table.logical_id)).await;
    }

    TableNames {
        organizations_table: name("OrganizationsTable"),
        transitions_table: name("TransitionsTable"),
        notices_table: name("NoticesTable"),
        contacts_table: name("ContactsTable"),
        runs_table: name("RunsTable"),
    }
}

/// All tables of the template.
fn tables() -> Vec<Table> {
    let template: Template = yaml_serde::from_str(TEMPLATE).unwrap();

    template
        .resources
        .into_iter()
        .filter(|(_, resource)| resource["Type"] == "AWS::DynamoDB::Table")
        .map(|(logical_id, resource)| Table {
            logical_id,
            properties: yaml_serde::from_value(resource["Properties"].clone()).unwrap(),
        })
        .collect()
}

impl Table {
    /// Creates the table under this name.
    pub async fn create(&self, client: &Client, name: &str) {
        let properties = &self.properties;
        let attributes = properties.attribute_definitions.iter().map(attribute);
        let indexes: Vec<_> = properties
            .global_secondary_indexes
            .iter()
            .map(index)
            .collect();

        client
            .create_table()
            .table_name(name)
            .billing_mode(BillingMode::PayPerRequest)
            .set_attribute_definitions(Some(attributes.collect()))
            .set_key_schema(Some(key_schema(&properties.key_schema)))
            .set_global_secondary_indexes((!indexes.is_empty()).then_some(indexes))
            .send()
            .await
            .unwrap();
    }
}

fn attribute(attribute: &Attribute) -> AttributeDefinition {
    AttributeDefinition::builder()
        .attribute_name(&attribute.attribute_name)
        .attribute_type(ScalarAttributeType::from(attribute.attribute_type.as_str()))
        .build()
        .unwrap()
}

fn key_schema(key: &[KeyElement]) -> Vec<KeySchemaElement> {
    key.iter()
        .map(|element| {
            KeySchemaElement::builder()
                .attribute_name(&element.attribute_name)
                .key_type(KeyType::from(element.key_type.as_str()))
                .build()
                .unwrap()
        })
        .collect()
}

fn index(index: &Index) -> GlobalSecondaryIndex {
    let kind = ProjectionType::from(index.projection.projection_type.as_str());
    GlobalSecondaryIndex::builder()
        .index_name(&index.name)
        .set_key_schema(Some(key_schema(&index.key_schema)))
        .projection(Projection::builder().projection_type(kind).build())
        .build()
        .unwrap()
}
