//! The function with its tables in a local DynamoDB.

use engagement::Stage;
use in_product::InProduct;
use runtime::{
    Invocation,
    http::{Request, Response, StatusCode, header},
};
use serde_json::{Value, json};
use test_support::LocalAws;

use crate::support::{ORGANIZATION, get, in_product, invocation, json_of, organization};

pub struct TestStack {
    pub function: InProduct,
    pub invocation: Invocation,
    aws: LocalAws,
    organizations_table: String,
}

impl TestStack {
    /// Creates the tables.
    pub async fn create(aws: LocalAws) -> Self {
        let tables = aws.create_tables().await;

        Self {
            organizations_table: tables.organizations_table.clone(),
            function: in_product(tables, &aws.config),
            invocation: invocation(),
            aws,
        }
    }

    /// Writes an item to the table `organizations`.
    pub async fn put(&self, item: Value) {
        self.aws.put_item(&self.organizations_table, item).await;
    }

    /// Puts the organization into this stage, with an episode that began at `since`.
    pub async fn put_stage(&self, stage: Stage, since: &str) {
        self.put(organization(&stage.to_string(), "none_connected", since))
            .await;
    }

    pub async fn handle(&self, request: &Request) -> Response {
        self.function
            .handle(request, &self.invocation)
            .await
            .unwrap()
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
