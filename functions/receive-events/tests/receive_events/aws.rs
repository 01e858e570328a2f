//! An AWS that has one secret, and one queue that drops what it was sent before, as SQS does.

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
use receive_events::{EventsQueue, ReceiveEvents};
use runtime::Secret;
use serde_json::{Value, json};

#[derive(Clone)]
pub struct Aws {
    state: Arc<Mutex<State>>,
    pub config: SdkConfig,
}

#[derive(Default)]
struct State {
    secret: Option<String>,
    refusal: Option<&'static str>,
    sends: usize,
    known: BTreeSet<String>,
    messages: Vec<Value>,
}

impl Aws {
    /// With that text in the secret, or with an empty secret.
    pub async fn start(secret: Option<&str>) -> Self {
        let state = Arc::new(Mutex::new(State {
            secret: secret.map(str::to_owned),
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        let answer = move |headers: HeaderMap, body: String| {
            std::future::ready(shared.lock().unwrap().answer(&headers, &body))
        };
        let config = test_support::aws(&test_support::serve(Router::new().fallback(answer)).await);
        Self { state, config }
    }

    pub fn receive_events(&self) -> ReceiveEvents {
        let secrets = aws_sdk_secretsmanager::Client::new(&self.config);
        let url = format!(
            "{}/000000000000/events.fifo",
            self.config.endpoint_url().unwrap()
        );
        ReceiveEvents {
            keys: Secret::json(secrets, "arn".to_owned(), "security keys"),
            queue: EventsQueue::new(&self.config, url),
        }
    }

    /// From now on the queue refuses with that code.
    pub fn refuse(&self, code: &'static str) {
        self.state.lock().unwrap().refusal = Some(code);
    }

    /// What the queue took and did not drop: the calls.
    pub fn messages(&self) -> Vec<Value> {
        self.state.lock().unwrap().messages.clone()
    }

    /// How often something was sent to the queue.
    pub fn sends(&self) -> usize {
        self.state.lock().unwrap().sends
    }
}

impl State {
    fn answer(&mut self, headers: &HeaderMap, body: &str) -> Response {
        let operation = headers
            .get("x-amz-target")
            .map_or("", |target| target.to_str().unwrap());
        match (operation.split('.').next_back().unwrap(), self.refusal) {
            ("GetSecretValue", _) => match &self.secret {
                Some(secret) => json_answer(StatusCode::OK, &json!({ "SecretString": secret })),
                None => refusal("ResourceNotFoundException"),
            },
            ("SendMessage", Some(code)) => refusal(code),
            ("SendMessage", None) => {
                let call: Value = serde_json::from_str(body).unwrap();
                self.sends += 1;
                if self
                    .known
                    .insert(call["MessageDeduplicationId"].as_str().unwrap().to_owned())
                {
                    self.messages.push(call);
                }
                json_answer(StatusCode::OK, &json!({ "MessageId": "message" }))
            }
            (other, _) => panic!("the role allows no {other}"),
        }
    }
}

fn refusal(code: &str) -> Response {
    json_answer(
        StatusCode::BAD_REQUEST,
        &json!({ "__type": format!("com.amazonaws#{code}"), "message": "refused" }),
    )
}

fn json_answer(status: StatusCode, body: &Value) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "application/x-amz-json-1.0")],
        body.to_string(),
    )
        .into_response()
}
