//! The function with its tables in a local DynamoDB.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
        ScalarAttributeType,
    },
};
use engagement::Stage;
use in_product::InProduct;
use runtime::{
    Metrics,
    http::{Request, Response, StatusCode, header},
};
use serde_json::{Value, json};
use test_support::LocalDynamoDb;

use crate::support::{ORGANIZATION, get, in_product, json_of, metrics, organization};

pub struct TestStack {
    pub function: InProduct,
    pub metrics: Metrics,
    client: Client,
}

impl TestStack {
    /// Creates the tables `organizations` and `notices`.
    pub async fn create(dynamodb: &LocalDynamoDb) -> Self {
        let client = store::client(&dynamodb.config);
        create_table(
            &client,
            "organizations",
            &[("organization_id", KeyType::Hash)],
        )
        .await;
        create_table(
            &client,
            "notices",
            &[
                ("organization_id", KeyType::Hash),
                ("notice", KeyType::Range),
            ],
        )
        .await;

        Self {
            function: in_product(&client),
            metrics: metrics(),
            client,
        }
    }

    /// Writes an item to the table `organizations`.
    pub async fn put(&self, item: Value) {
        let item: HashMap<String, AttributeValue> = serde_dynamo::to_item(item).unwrap();
        self.client
            .put_item()
            .table_name("organizations")
            .set_item(Some(item))
            .send()
            .await
            .unwrap();
    }

    /// Puts the organization into this stage, with an episode that began at `since`.
    pub async fn put_stage(&self, stage: Stage, since: &str) {
        self.put(organization(&stage.to_string(), "none_connected", since))
            .await;
    }

    pub async fn handle(&self, request: &Request) -> Response {
        self.function.handle(request, &self.metrics).await.unwrap()
    }

    /// The message that the organization gets; `None`: the response has no message.
    pub async fn message(&self) -> Option<Value> {
        let response = self.handle(&get(ORGANIZATION)).await;

        assert_eq!(response.status(), StatusCode::OK);
        let messages = json_of(&response)["messages"].as_array().unwrap().clone();
        assert!(messages.len() < 2, "{messages:?}");
        messages.into_iter().next()
    }

    /// Asserts that the response to this request is a problem with this status.
    pub async fn assert_problem(&self, request: &Request, status: StatusCode) {
        let response = self.handle(request).await;

        assert_eq!(
            (response.status(), &json_of(&response)["status"]),
            (status, &json!(status.as_u16()))
        );
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    }
}

async fn create_table(client: &Client, name: &str, key: &[(&str, KeyType)]) {
    let mut request = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest);
    for (attribute, kind) in key {
        let definition = AttributeDefinition::builder()
            .attribute_name(*attribute)
            .attribute_type(ScalarAttributeType::S);
        let element = KeySchemaElement::builder()
            .attribute_name(*attribute)
            .key_type(kind.clone());
        request = request
            .attribute_definitions(definition.build().unwrap())
            .key_schema(element.build().unwrap());
    }

    request.send().await.unwrap();
}
