//! What the proxy knows of a call.

use hyper::{
    Response,
    body::Bytes,
    header::AUTHORIZATION,
    http::{HeaderMap, request::Parts},
};
use serde_json::Value;

/// One call of an AWS operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Counts the calls of a proxy from 1.
    pub number: u64,
    /// The function that called, by the output that names it; none when functions are not held to
    /// their roles, because then all of them have the same access key.
    pub function: Option<String>,
    /// The access key that signed it; empty without a signature.
    pub access_key: String,
    /// Service and operation: `dynamodb.TransactWriteItems`, `ses.SendEmail`. REST operations
    /// without a name here keep method and path: `ses.GET /v2/email/identities`.
    pub operation: String,
    /// Which of the SDK's attempts at one operation this is, from 1; 1 when the client does not
    /// say.
    pub attempt: u32,
    /// The body as JSON; null without one.
    pub request: Value,
    /// What the client got.
    pub outcome: Outcome,
    /// What AWS answered, whether the client got it or not; none when it was not asked, has not
    /// answered yet, or did not answer.
    pub accepted: Option<Answer>,
}

/// How a call ended for the client.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It has not yet.
    UnderWay,
    /// With an answer.
    Answered(Answer),
    /// Without one: planned, or because one of the two sides left.
    Cut,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body as JSON; null when it is none.
    pub body: Value,
}

impl Call {
    pub(super) fn read(head: &Parts, body: &Bytes) -> Self {
        let signature = Signature::read(&head.headers);
        let service = signature
            .as_ref()
            .map_or("unsigned", |signature| signature.service);
        Self {
            number: 0,
            function: None,
            access_key: signature
                .as_ref()
                .map_or("", |signature| signature.access_key)
                .to_owned(),
            operation: format!("{service}.{}", operation(head, service)),
            attempt: attempt(&head.headers).unwrap_or(1),
            request: json(body),
            outcome: Outcome::UnderWay,
            accepted: None,
        }
    }
}

impl Answer {
    pub(super) fn of(response: &Response<Bytes>) -> Self {
        Self {
            status: response.status().as_u16(),
            body: json(response.body()),
        }
    }
}

/// `Authorization: AWS4-HMAC-SHA256 Credential=KEY/20260131/us-east-1/dynamodb/aws4_request, ...`
/// (AWS Signature Version 4).
struct Signature<'a> {
    access_key: &'a str,
    service: &'a str,
}

impl<'a> Signature<'a> {
    fn read(headers: &'a HeaderMap) -> Option<Self> {
        let (_, credential) = headers
            .get(AUTHORIZATION)?
            .to_str()
            .ok()?
            .split_once("Credential=")?;
        let mut parts = credential.split(',').next()?.split('/');
        Some(Self {
            access_key: parts.next()?,
            service: parts.nth(2)?,
        })
    }
}

/// The JSON protocols name the operation in a header; REST operations are known by method and path.
fn operation(head: &Parts, service: &str) -> String {
    let target = head
        .headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok());
    if let Some((_, operation)) = target.and_then(|target| target.rsplit_once('.')) {
        return operation.to_owned();
    }
    match (service, head.method.as_str(), head.uri.path()) {
        ("ses", "POST", "/v2/email/outbound-emails") => "SendEmail".to_owned(),
        ("ses", "GET", "/v2/email/account") => "GetAccount".to_owned(),
        (_, method, path) => format!("{method} {path}"),
    }
}

/// `amz-sdk-request: attempt=2; max=4`, which AWS's SDKs send.
fn attempt(headers: &HeaderMap) -> Option<u32> {
    let parts = headers.get("amz-sdk-request")?.to_str().ok()?;
    parts
        .split(';')
        .find_map(|part| part.trim().strip_prefix("attempt="))?
        .parse()
        .ok()
}

fn json(body: &Bytes) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}
