//! A simulated AWS with one secret and one FIFO queue. The queue drops messages with a known
//! deduplication id, as SQS does.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use aws_config::SdkConfig;
use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use receive_events::{Config, ReceiveEvents};
use serde_json::{Value, json};

#[derive(Clone)]
pub struct Aws {
    state: Arc<Mutex<State>>,
    pub config: SdkConfig,
}

#[derive(Default)]
struct State {
    secret: Option<String>,
    /// The error code of each `SendMessage`; `None`: it succeeds.
    error_code: Option<&'static str>,
    send_count: usize,
    deduplication_ids: BTreeSet<String>,
    messages: Vec<Value>,
}

impl Aws {
    /// A secret with this text, or a secret without a value.
    pub async fn start(secret: Option<&str>) -> Self {
        let state = Arc::new(Mutex::new(State {
            secret: secret.map(str::to_owned),
            ..State::default()
        }));

        let shared = Arc::clone(&state);
        let respond = move |headers: HeaderMap, body: String| {
            std::future::ready(shared.lock().unwrap().respond(&headers, &body))
        };
        let config =
            test_support::sdk_config(&test_support::serve(Router::new().fallback(respond)).await);

        Self { state, config }
    }

    pub fn receive_events(&self) -> ReceiveEvents {
        let endpoint = self.config.endpoint_url().unwrap();
        let config = Config {
            webhook_keys_secret: "arn".to_owned(),
            events_queue_url: format!("{endpoint}/000000000000/events.fifo"),
            environment: "local".to_owned(),
        };
        ReceiveEvents::new(config, &self.config)
    }

    /// From now on, `SendMessage` fails with this code.
    pub fn fail_sends(&self, code: &'static str) {
        self.state.lock().unwrap().error_code = Some(code);
    }

    /// The `SendMessage` calls whose message the queue kept.
    pub fn messages(&self) -> Vec<Value> {
        self.state.lock().unwrap().messages.clone()
    }

    /// The number of successful `SendMessage` calls, with those whose message was dropped.
    pub fn send_count(&self) -> usize {
        self.state.lock().unwrap().send_count
    }
}

impl State {
    fn respond(&mut self, headers: &HeaderMap, body: &str) -> Response {
        let operation = headers
            .get("x-amz-target")
            .map_or("", |target| target.to_str().unwrap());

        match (operation.split('.').next_back().unwrap(), self.error_code) {
            ("GetSecretValue", _) => match &self.secret {
                Some(secret) => json_response(StatusCode::OK, &json!({ "SecretString": secret })),
                None => aws_error("ResourceNotFoundException"),
            },
            ("SendMessage", Some(code)) => aws_error(code),
            ("SendMessage", None) => {
                let call: Value = serde_json::from_str(body).unwrap();
                self.send_count += 1;
                if self
                    .deduplication_ids
                    .insert(call["MessageDeduplicationId"].as_str().unwrap().to_owned())
                {
                    self.messages.push(call);
                }
                json_response(StatusCode::OK, &json!({ "MessageId": "message" }))
            }
            (other, _) => panic!("the role does not allow {other}"),
        }
    }
}

fn aws_error(code: &str) -> Response {
    json_response(
        StatusCode::BAD_REQUEST,
        &json!({ "__type": format!("com.amazonaws#{code}"), "message": "refused" }),
    )
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "application/x-amz-json-1.0")],
        body.to_string(),
    )
        .into_response()
}
