//! A proxy between the functions and MiniStack. It records every AWS call and injects the faults
//! that a test plans.
//!
//! Requests and responses pass through unchanged: all headers, including `Host` and the signature,
//! and every byte of the bodies.

mod call;
mod fault;
mod upstream;

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use http_body_util::{BodyExt, Full};
use hyper::{
    Response,
    body::{Bytes, Incoming},
    header::CONTENT_TYPE,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde_json::json;
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use self::upstream::Upstream;

pub use call::{AwsCall, AwsResponse, CallOutcome};
pub use fault::AwsFault;

/// A running proxy, for end-to-end tests. Dropping it stops the server and closes its connections.
pub struct FaultProxy {
    url: String,
    state: Arc<ProxyState>,
    server: JoinHandle<()>,
}

impl FaultProxy {
    /// Starts on a free port of 127.0.0.1 in front of the HTTP server at `upstream` (host and port,
    /// for example `127.0.0.1:4566`). `Err` means that no port could be opened.
    pub async fn start(upstream: &str) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .context("cannot open a port for the fault proxy")?;
        let url = format!("http://{}", listener.local_addr()?);
        let state = Arc::new(ProxyState {
            upstream: Upstream::new(upstream),
            fault_plan: Mutex::new(Box::new(|_| AwsFault::PassThrough)),
            call_log: Mutex::default(),
            functions: Mutex::default(),
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&state)));

        Ok(Self { url, state, server })
    }

    /// The URL that clients use as the AWS endpoint.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Replaces the fault plan. From now on `plan` decides every call, one at a time and in the
    /// order of their numbers, while the call's outcome is still [`CallOutcome::InProgress`]. A
    /// plan may read [`FaultProxy::calls`] but must not replace itself.
    pub fn set_fault_plan(&self, plan: impl FnMut(&AwsCall) -> AwsFault + Send + 'static) {
        *self.state.fault_plan.lock() = Box::new(plan);
    }

    /// All calls since the start, in the order of their arrival.
    pub fn calls(&self) -> Vec<AwsCall> {
        self.state.call_log.lock().calls.clone()
    }

    /// The calls to one operation, for example `ses.SendEmail`.
    pub fn calls_to(&self, operation: &str) -> Vec<AwsCall> {
        self.state
            .call_log
            .lock()
            .calls
            .iter()
            .filter(|call| call.operation == operation)
            .cloned()
            .collect()
    }

    /// Registers the function that signs with `access_key`, for [`AwsCall::function`].
    pub fn register_function(&self, access_key: String, function: &str) {
        self.state
            .functions
            .lock()
            .insert(access_key, function.to_owned());
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Serves until the task is aborted, which also closes all connections.
async fn serve(listener: TcpListener, state: Arc<ProxyState>) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve_connection(stream, Arc::clone(&state)));
            }
            // Usually out of file descriptors, which other connections free when they close.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Handles the requests of one connection. When the service fails, hyper closes the connection
/// without a response; dropped calls rely on this.
async fn serve_connection(stream: TcpStream, state: Arc<ProxyState>) {
    // Nagle's algorithm would delay each small response by 40 ms.
    if stream.set_nodelay(true).is_ok() {
        let service = service_fn(move |request| handle(Arc::clone(&state), request));
        let _ended_by_either_side = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }
}

/// Handles one call. `Err` closes the connection without a response.
async fn handle(
    state: Arc<ProxyState>,
    request: hyper::Request<Incoming>,
) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let (number, fault) = state.record_and_plan(AwsCall::from_request(&head, &body));
    let mut outcome_guard = OutcomeGuard {
        state: Arc::clone(&state),
        number,
        outcome: CallOutcome::Disconnected,
    };

    let request = upstream::Request::from_parts(head, Full::new(body));
    let response = match fault {
        AwsFault::PassThrough => state.forward(number, request).await?,
        AwsFault::ErrorResponse {
            status,
            code,
            message,
        } => error_response(number, status, &code, &message)?,
        AwsFault::DropRequest => return Err(connection_reset()),
        AwsFault::DropResponse => {
            state.forward(number, request).await?;
            return Err(connection_reset());
        }
        AwsFault::Delay(time) => {
            let response = state.forward(number, request).await?;
            sleep(time).await;
            response
        }
    };

    outcome_guard.outcome = CallOutcome::Responded(AwsResponse::from_response(&response));
    Ok(response.map(Full::new))
}

/// Records a call's outcome when dropped. This includes a client that disconnects, because hyper
/// then drops the future that holds the guard.
struct OutcomeGuard {
    state: Arc<ProxyState>,
    number: u64,
    outcome: CallOutcome,
}

impl Drop for OutcomeGuard {
    fn drop(&mut self) {
        let outcome = std::mem::replace(&mut self.outcome, CallOutcome::Disconnected);
        self.state
            .update_call(self.number, |call| call.outcome = outcome);
    }
}

type FaultPlan = Box<dyn FnMut(&AwsCall) -> AwsFault + Send>;

/// What all connections share.
struct ProxyState {
    upstream: Upstream,
    fault_plan: Mutex<FaultPlan>,
    call_log: Mutex<CallLog>,
    /// Functions by access key.
    functions: Mutex<BTreeMap<String, String>>,
}

#[derive(Default)]
struct CallLog {
    calls: Vec<AwsCall>,
    last_number: u64,
}

impl ProxyState {
    /// Numbers and records a call and returns its planned fault. The plan's lock is held
    /// throughout, so that the plan sees the calls in the order of their numbers.
    fn record_and_plan(&self, mut call: AwsCall) -> (u64, AwsFault) {
        let mut fault_plan = self.fault_plan.lock();
        call.function = self.functions.lock().get(&call.access_key).cloned();
        {
            let mut call_log = self.call_log.lock();
            call_log.last_number += 1;
            call.number = call_log.last_number;
            call_log.calls.push(call.clone());
        }

        (call.number, fault_plan(&call))
    }

    /// Changes the recorded call.
    fn update_call(&self, number: u64, change: impl FnOnce(&mut AwsCall)) {
        if let Some(call) = self
            .call_log
            .lock()
            .calls
            .iter_mut()
            .rev()
            .find(|call| call.number == number)
        {
            change(call);
        }
    }

    /// Forwards a request to AWS and records the response, even when the client disconnects before
    /// the response arrives. `Err` means that AWS is unreachable or closed the connection early.
    async fn forward(
        self: &Arc<Self>,
        number: u64,
        request: upstream::Request,
    ) -> io::Result<Response<Bytes>> {
        let state = Arc::clone(self);
        let forwarding = tokio::spawn(async move {
            let response = state.upstream.forward(request).await?;
            state.update_call(number, |call| {
                call.aws_response = Some(AwsResponse::from_response(&response));
            });
            Ok(response)
        });

        forwarding.await?
    }
}

fn connection_reset() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

/// An error response of the AWS JSON and REST JSON protocols.
fn error_response(
    number: u64,
    status: u16,
    code: &str,
    message: &str,
) -> io::Result<Response<Bytes>> {
    let body = json!({"__type": code, "code": code, "message": message}).to_string();

    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/x-amz-json-1.0")
        .header("x-amzn-errortype", code)
        .header("x-amzn-requestid", format!("fault-{number}"))
        .body(body.into())
        .map_err(io::Error::other)
}
