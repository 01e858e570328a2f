//! A server that answers what it is told, for what the sandbox never says.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Response},
};
use bill::{Bill, Credentials};
use tokio::task::JoinHandle;

use crate::support::client_with;

pub struct Script {
    url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    answers: Mutex<VecDeque<Reply>>,
    seen: Mutex<Vec<RecordedRequest>>,
}

/// A request as it arrived.
#[derive(Clone)]
pub struct RecordedRequest {
    pub target: String,
    pub headers: HeaderMap,
    pub body: String,
}

pub struct Reply {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: Vec<u8>,
}

pub fn reply(status: u16, body: impl Into<Vec<u8>>) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: body.into(),
    }
}

impl Reply {
    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl Script {
    /// Logins are answered by themselves; every other request takes the next reply.
    pub async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/connect", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            answers: Mutex::new(replies.into_iter().collect()),
            seen: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url,
            shared,
            server,
        }
    }

    pub fn client(&self) -> Bill {
        let secret = r#"{"username":"ann@partner.example","password":"p-secret","appKey":"a-secret","devKey":"d-secret"}"#;
        client_with(&self.url, Arc::new(Credentials::from_json(secret).unwrap()))
    }

    /// All requests but the logins.
    pub fn seen(&self) -> Vec<RecordedRequest> {
        self.shared
            .seen
            .lock()
            .unwrap()
            .iter()
            .filter(|seen| !seen.target.contains("/login"))
            .cloned()
            .collect()
    }

    pub fn logins(&self) -> Vec<RecordedRequest> {
        self.shared
            .seen
            .lock()
            .unwrap()
            .iter()
            .filter(|seen| seen.target.contains("/login"))
            .cloned()
            .collect()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.server.abort();
        if !std::thread::panicking() {
            assert!(
                self.shared.answers.lock().unwrap().is_empty(),
                "replies are left over"
            );
        }
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
    let target = head.uri.to_string();
    let reply = if target.contains("/login") {
        reply(200, r#"{"sessionId":"s-secret","trusted":false}"#)
    } else {
        shared
            .answers
            .lock()
            .unwrap()
            .pop_front()
            .expect("a request beyond the script")
    };
    shared.seen.lock().unwrap().push(RecordedRequest {
        target,
        headers: head.headers,
        body,
    });
    let builder = reply.headers.iter().fold(
        Response::builder().status(reply.status),
        |builder, (name, value)| builder.header(*name, *value),
    );
    builder.body(Body::from(reply.body)).unwrap()
}
