//! An HTTP server with scripted replies, for responses that the sandbox cannot produce.

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
use bill::{BillClient, Credentials};
use tokio::task::JoinHandle;

use crate::support::client_with;

pub struct ScriptedServer {
    url: String,
    state: Arc<ServerState>,
    server: JoinHandle<()>,
}

#[derive(Default)]
struct ServerState {
    replies: Mutex<VecDeque<Reply>>,
    requests: Mutex<Vec<RecordedRequest>>,
}

/// A request that the server received.
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

impl ScriptedServer {
    /// Starts a server that accepts every sign-in and responds to each other request with the next
    /// of `replies`.
    pub async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/connect", listener.local_addr().unwrap());
        let state = Arc::new(ServerState {
            replies: Mutex::new(replies.into_iter().collect()),
            requests: Mutex::default(),
        });
        let router = Router::new().fallback(handle).with_state(state.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

        Self { url, state, server }
    }

    pub fn client(&self) -> BillClient {
        let secret = r#"{
            "username": "ann@partner.example",
            "password": "p-secret",
            "appKey": "a-secret",
            "devKey": "d-secret"
        }"#;
        client_with(&self.url, Arc::new(Credentials::from_json(secret).unwrap()))
    }

    /// All requests except the sign-ins.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.filtered_requests(|request| !request.is_sign_in())
    }

    pub fn sign_in_requests(&self) -> Vec<RecordedRequest> {
        self.filtered_requests(RecordedRequest::is_sign_in)
    }

    fn filtered_requests(
        &self,
        is_wanted: impl Fn(&RecordedRequest) -> bool,
    ) -> Vec<RecordedRequest> {
        let requests = self.state.requests.lock().unwrap();
        requests
            .iter()
            .filter(|request| is_wanted(request))
            .cloned()
            .collect()
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.server.abort();
        if !std::thread::panicking() {
            assert!(
                self.state.replies.lock().unwrap().is_empty(),
                "the client did not request all scripted replies"
            );
        }
    }
}

impl RecordedRequest {
    fn is_sign_in(&self) -> bool {
        self.target.contains("/login")
    }
}

async fn handle(State(state): State<Arc<ServerState>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let request = RecordedRequest {
        target: head.uri.to_string(),
        headers: head.headers,
        body: String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap(),
    };

    let reply = if request.is_sign_in() {
        reply(200, r#"{"sessionId":"s-secret","trusted":false}"#)
    } else {
        state
            .replies
            .lock()
            .unwrap()
            .pop_front()
            .expect("the client sent more requests than there are scripted replies")
    };
    state.requests.lock().unwrap().push(request);

    let builder = reply.headers.iter().fold(
        Response::builder().status(reply.status),
        |builder, (name, value)| builder.header(*name, *value),
    );
    builder.body(Body::from(reply.body)).unwrap()
}
