//! A fault proxy in front of a server that echoes each request.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, Uri},
    response::{IntoResponse, Response},
};
use local_cloud::FaultProxy;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use tokio::{net::TcpListener, sync::Barrier};

/// Authorization header of a signed DynamoDB call.
pub const SIGNATURE: &str = concat!(
    "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/20260131/us-east-1/dynamodb/aws4_request, ",
    "SignedHeaders=host, Signature=00"
);

/// A proxy, a client, and a server that echoes.
pub struct ProxyTest {
    pub proxy: FaultProxy,
    pub client: Client,
    requests_received: Arc<AtomicUsize>,
}

#[derive(Clone)]
struct Echo {
    requests_received: Arc<AtomicUsize>,
    barrier: Arc<Barrier>,
}

impl ProxyTest {
    pub async fn start() -> Self {
        Self::start_with_barrier(1).await
    }

    /// The server responds once this many requests have arrived.
    pub async fn start_with_barrier(requests: usize) -> Self {
        let requests_received = Arc::new(AtomicUsize::new(0));
        let state = Echo {
            requests_received: Arc::clone(&requests_received),
            barrier: Arc::new(Barrier::new(requests)),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(
            axum::serve(listener, Router::new().fallback(echo).with_state(state)).into_future(),
        );
        Self {
            proxy: FaultProxy::start(&address.to_string()).await.unwrap(),
            client: client(),
            requests_received,
        }
    }

    pub fn requests_received(&self) -> usize {
        self.requests_received.load(Ordering::SeqCst)
    }

    pub fn dynamodb(&self, operation: &str, body: &Value) -> RequestBuilder {
        let request = self
            .client
            .post(self.proxy.url())
            .header("authorization", SIGNATURE);
        request
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .body(body.to_string())
    }
}

/// Returns the request: its line and headers as `echo-` headers, its body and content encoding
/// unchanged.
async fn echo(
    State(echo): State<Echo>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    echo.requests_received.fetch_add(1, Ordering::SeqCst);
    echo.barrier.wait().await;
    let mut response = (axum::http::StatusCode::IM_A_TEAPOT, body).into_response();
    let line = HeaderValue::from_str(&format!("{method} {uri}")).unwrap();
    response.headers_mut().insert("echo-line", line);
    for (name, value) in &headers {
        let name: axum::http::HeaderName = format!("echo-{name}").parse().unwrap();
        response.headers_mut().append(name, value.clone());
    }
    if let Some(encoding) = headers.get("content-encoding") {
        response
            .headers_mut()
            .insert("content-encoding", encoding.clone());
    }

    response
}

#[expect(
    clippy::disallowed_methods,
    reason = "calls the loopback interface only"
)]
pub fn client() -> Client {
    Client::new()
}
