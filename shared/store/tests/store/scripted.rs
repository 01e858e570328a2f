//! A DynamoDB that sends scripted responses: conflicts, throttling, unprocessed keys, errors.

use std::{
    collections::VecDeque,
    ops::Deref,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
};
use serde_json::{Value, json};
use store::Tables;

/// The message of every error response. DynamoDB's messages may quote an item.
pub const ERROR_MESSAGE: &str = "the contents of an item";

/// Status code and body.
pub type ScriptedResponse = (u16, Value);

pub fn ok_response() -> ScriptedResponse {
    (200, json!({}))
}

pub fn internal_server_error() -> ScriptedResponse {
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#InternalServerError",
        "message": ERROR_MESSAGE,
    });
    (500, body)
}

pub fn error_response(code: &str) -> ScriptedResponse {
    let body = json!({
        "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"),
        "message": ERROR_MESSAGE,
    });
    (400, body)
}

/// A cancelled transaction with one code for each of its items.
pub fn transaction_cancelled(codes: &[&str]) -> ScriptedResponse {
    let reasons: Vec<Value> = codes
        .iter()
        .map(|code| json!({ "Code": code, "Message": ERROR_MESSAGE }))
        .collect();
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": ERROR_MESSAGE,
        "CancellationReasons": reasons,
    });
    (400, body)
}

/// Sends the responses in their order, whatever the requests are, and records the requests.
pub struct ScriptedDynamoDb {
    tables: Tables,
    requests: Arc<Mutex<Vec<Value>>>,
}

impl Deref for ScriptedDynamoDb {
    type Target = Tables;

    fn deref(&self) -> &Tables {
        &self.tables
    }
}

impl ScriptedDynamoDb {
    pub async fn start(responses: impl Into<VecDeque<ScriptedResponse>>) -> Self {
        let responses = Arc::new(Mutex::new(responses.into()));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&requests);
        let respond = move |body: String| {
            recorded
                .lock()
                .unwrap()
                .push(serde_json::from_str(&body).unwrap());
            let (status, body) = responses
                .lock()
                .unwrap()
                .pop_front()
                .expect("a response for every request");
            let headers = HeaderMap::from_iter([
                (
                    header::CONTENT_TYPE,
                    "application/x-amz-json-1.0".parse().unwrap(),
                ),
                (
                    header::HeaderName::from_static("x-amzn-requestid"),
                    "R7".parse().unwrap(),
                ),
            ]);
            let status = StatusCode::from_u16(status).unwrap();
            std::future::ready((status, headers, body.to_string()).into_response())
        };

        let server = test_support::serve(Router::new().fallback(respond)).await;
        let client = store::client(&test_support::sdk_config(&server));
        Self {
            tables: Tables::new(client, test_support::table_names()),
            requests,
        }
    }

    /// The number of requests so far.
    pub fn calls(&self) -> usize {
        self.requests().len()
    }

    /// The bodies of the requests so far.
    pub fn requests(&self) -> Vec<Value> {
        self.requests.lock().unwrap().clone()
    }
}
