//! A proxy between the functions and MiniStack: it records every call to AWS, and breaks those that
//! a test wants broken.
//!
//! What passes through is not changed: neither the headers (with `Host` and the signature) nor a
//! byte of the bodies.

mod call;
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

pub use call::{Answer, Call, Outcome};

/// A running proxy. It ends, and closes its connections, when dropped.
pub struct FaultProxy {
    url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

/// What becomes of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It passes.
    None,
    /// AWS is not asked; the client gets this error, in the form of the JSON protocols.
    Answer {
        /// HTTP status.
        status: u16,
        /// AWS's name of the error, `ThrottlingException` for instance.
        code: String,
        /// The text beside it.
        message: String,
    },
    /// AWS is not asked, and the connection closed without an answer.
    DropRequest,
    /// AWS is asked, its answer thrown away, and the connection closed without one: the client
    /// cannot know what it did.
    DropResponse,
    /// AWS is asked at once, and its answer held back for this long: a client that loses its
    /// patience cannot know what AWS did.
    Delay(Duration),
}

impl Fault {
    /// An error with a message that says where it comes from.
    pub fn answer(status: u16, code: &str) -> Self {
        Self::Answer {
            status,
            code: code.to_owned(),
            message: "a planned fault of the local cloud".to_owned(),
        }
    }
}

impl FaultProxy {
    /// Starts on a free port of 127.0.0.1, in front of the HTTP server at `upstream`, for instance
    /// `127.0.0.1:4566`.
    pub async fn start(upstream: &str) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .context("cannot open a port for the fault proxy")?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared {
            upstream: Upstream::new(upstream),
            plan: Mutex::new(Box::new(|_| Fault::None)),
            record: Mutex::default(),
            functions: Mutex::default(),
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self {
            url,
            shared,
            server,
        })
    }

    /// Where clients find it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Asks `plan` about every call from now on, one at a time and in the order of their numbers,
    /// instead of the plan before. The call's outcome is open then. A plan may read
    /// [`FaultProxy::calls`], but not replace itself.
    pub fn plan(&self, plan: impl FnMut(&Call) -> Fault + Send + 'static) {
        *self.shared.plan.lock() = Box::new(plan);
    }

    /// All calls since the start, in the order in which they came.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.record.lock().calls.clone()
    }

    /// The calls of one operation, `ses.SendEmail` for instance.
    pub fn calls_to(&self, operation: &str) -> Vec<Call> {
        self.shared
            .record
            .lock()
            .calls
            .iter()
            .filter(|call| call.operation == operation)
            .cloned()
            .collect()
    }

    /// Names the function that signs with an access key, for [`Call::function`].
    pub fn register_function(&self, access_key: String, function: &str) {
        self.shared
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

type Plan = Box<dyn FnMut(&Call) -> Fault + Send>;

struct Shared {
    upstream: Upstream,
    plan: Mutex<Plan>,
    record: Mutex<Record>,
    functions: Mutex<BTreeMap<String, String>>,
}

#[derive(Default)]
struct Record {
    calls: Vec<Call>,
    last_number: u64,
}

impl Shared {
    /// Numbers a call, notes it and asks the plan about it. Under one lock, so that the plan meets
    /// the calls in their order.
    fn judge(&self, mut call: Call) -> (u64, Fault) {
        let mut plan = self.plan.lock();
        call.function = self.functions.lock().get(&call.access_key).cloned();
        {
            let mut record = self.record.lock();
            record.last_number += 1;
            call.number = record.last_number;
            record.calls.push(call.clone());
        }
        (call.number, plan(&call))
    }

    /// Changes the record of a call, unless it has been forgotten.
    fn note(&self, number: u64, change: impl FnOnce(&mut Call)) {
        if let Some(call) = self
            .record
            .lock()
            .calls
            .iter_mut()
            .rev()
            .find(|call| call.number == number)
        {
            change(call);
        }
    }

    /// Asks AWS to the end, even when the client leaves meanwhile, and notes what it answered.
    async fn ask(
        self: &Arc<Self>,
        number: u64,
        request: upstream::Request,
    ) -> io::Result<Response<Bytes>> {
        let shared = Arc::clone(self);
        let asked = tokio::spawn(async move {
            let answer = shared.upstream.ask(request).await?;
            shared.note(number, |call| call.accepted = Some(Answer::of(&answer)));
            Ok(answer)
        });
        asked.await?
    }
}

/// Serves until the task is aborted, which closes all connections too.
async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(converse(stream, Arc::clone(&shared)));
            }
            Err(_) => sleep(Duration::from_millis(50)).await, // out of file handles: the next one may find some
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Answers the requests of one connection. hyper closes it without an answer when the service
/// fails: that is how calls are cut.
async fn converse(stream: TcpStream, shared: Arc<Shared>) {
    // Answers are small: waiting to fill a packet would add 40 ms to each.
    if stream.set_nodelay(true).is_ok() {
        let service = service_fn(move |request| answer(Arc::clone(&shared), request));
        let _ended_by_either_side = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }
}

/// One call. `Err` cuts the connection.
async fn answer(
    shared: Arc<Shared>,
    request: hyper::Request<Incoming>,
) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let (number, fault) = shared.judge(Call::read(&head, &body));
    let mut end = End {
        shared: Arc::clone(&shared),
        number,
        outcome: Outcome::Cut,
    };
    let request = upstream::Request::from_parts(head, Full::new(body));
    let answer = match fault {
        Fault::None => shared.ask(number, request).await?,
        Fault::Answer {
            status,
            code,
            message,
        } => refusal(number, status, &code, &message)?,
        Fault::DropRequest => return Err(cut()),
        Fault::DropResponse => {
            shared.ask(number, request).await?;
            return Err(cut());
        }
        Fault::Delay(time) => {
            let answer = shared.ask(number, request).await?;
            sleep(time).await;
            answer
        }
    };
    end.outcome = Outcome::Answered(Answer::of(&answer));
    Ok(answer.map(Full::new))
}

/// Notes how a call ended for the client; also when the client has left, which ends the future that
/// holds this.
struct End {
    shared: Arc<Shared>,
    number: u64,
    outcome: Outcome,
}

impl Drop for End {
    fn drop(&mut self) {
        let outcome = std::mem::replace(&mut self.outcome, Outcome::Cut);
        self.shared.note(self.number, |call| call.outcome = outcome);
    }
}

fn cut() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

/// An error as the AWS JSON and REST JSON protocols have it.
fn refusal(number: u64, status: u16, code: &str, message: &str) -> io::Result<Response<Bytes>> {
    let body = json!({"__type": code, "code": code, "message": message}).to_string();
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/x-amz-json-1.0")
        .header("x-amzn-errortype", code)
        .header("x-amzn-requestid", format!("fault-{number}"))
        .body(body.into())
        .map_err(io::Error::other)
}
