//! A stub of AWS that accepts every call, except those for one resource.

use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use record_feedback::{Config, Recorder};
use serde_json::{Value, json};

/// The notice id in the tag of the samples.
pub const NOTICE_ID: &str = concat!(
    "MDA4MDJLRVNUUkVMQkFLRW03cTIvMjAyNi0xMS0xNlQwOTowMDowMFojdmVyaWZ5LWJhbmstMSM1YzY5MDFj",
    "ZjY5MzllNzVkMzMzMTJiOTY2MGMxOTRmN2FmZDhlYzg5OWJjNDdlOWY1MDc2NjYwY2EzZjg0YmQz"
);

#[derive(Clone)]
pub struct Aws {
    config: SdkConfig,
    /// Every call that was accepted.
    calls: Arc<Mutex<Vec<Value>>>,
}

impl Aws {
    pub async fn accepting() -> Self {
        Self::refusing("nothing", "").await
    }

    /// Refuses, with that error code, the calls for a resource: a table or a queue.
    pub async fn refusing(resource: &'static str, code: &'static str) -> Self {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let accepted = Arc::clone(&calls);
        let handle = move |body: String| {
            let call: Value = serde_json::from_str(&body).unwrap();
            let is_refused = call["TableName"] == resource
                || call["QueueUrl"]
                    .as_str()
                    .is_some_and(|url| url.ends_with(resource));
            let (status, response) = if is_refused {
                (
                    StatusCode::BAD_REQUEST,
                    json!({ "__type": format!("com.amazonaws#{code}"), "message": "refused" }),
                )
            } else {
                accepted.lock().unwrap().push(call);
                (
                    StatusCode::OK,
                    json!({ "SecretString": "a key for tests", "MessageId": "dead-letter" }),
                )
            };
            std::future::ready(json_response(status, &response))
        };
        let config =
            test_support::sdk_config(&test_support::serve(Router::new().fallback(handle)).await);
        Self { config, calls }
    }

    pub fn recorder(&self) -> Recorder {
        let endpoint = self.config.endpoint_url().unwrap();
        let config = Config {
            tables: test_support::table_names(),
            address_key_secret: "secret".to_owned(),
            feedback_dead_letter_queue_url: format!("{endpoint}/000000000000/dead-letters"),
            environment: "local".to_owned(),
        };
        Recorder::new(config, &self.config)
    }

    /// The statuses that were written to a table, and whether a message id was written.
    pub fn writes(&self, table: &str) -> Vec<Value> {
        let writes = self.writes_to(table).into_iter();
        writes
            .map(|call| {
                let values = &call["ExpressionAttributeValues"];
                json!({
                    "status": values[":status"]["S"],
                    "message_id": values[":message_id"]["S"].is_string(),
                })
            })
            .collect()
    }

    /// The keys of the contacts that were written.
    pub fn contacts(&self) -> Vec<String> {
        let keys = self
            .writes_to("contacts")
            .into_iter()
            .map(|call| call["Key"]["address_hash"]["S"].clone());
        keys.map(|key| key.as_str().unwrap().to_owned()).collect()
    }

    /// The dead letters.
    pub fn dead_letters(&self) -> Vec<Value> {
        let calls = self.calls.lock().unwrap();
        calls
            .iter()
            .filter_map(|call| serde_json::from_str(call["MessageBody"].as_str()?).ok())
            .collect()
    }

    /// All calls to SQS, including the message attributes.
    pub fn sqs_calls(&self) -> String {
        let calls = self.calls.lock().unwrap();
        calls
            .iter()
            .filter(|call| call["QueueUrl"].is_string())
            .map(ToString::to_string)
            .collect()
    }

    fn writes_to(&self, table: &str) -> Vec<Value> {
        let calls = self.calls.lock().unwrap();
        calls
            .iter()
            .filter(|call| call["TableName"] == table && call["UpdateExpression"].is_string())
            .cloned()
            .collect()
    }
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    let headers = HeaderMap::from_iter([(
        header::CONTENT_TYPE,
        "application/x-amz-json-1.0".parse().unwrap(),
    )]);
    (status, headers, body.to_string()).into_response()
}
