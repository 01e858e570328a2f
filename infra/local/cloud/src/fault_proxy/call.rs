//! The record of one call that passes the fault proxy.

use hyper::{
    Response,
    body::Bytes,
    header::AUTHORIZATION,
    http::{HeaderMap, request::Parts},
};
use serde_json::Value;

/// One attempt at an AWS operation.
#[derive(Debug, Clone, PartialEq)]
pub struct AwsCall {
    /// Sequence number of the call within its proxy, from 1.
    pub number: u64,
    /// The calling function, by the name of its stack output. `None` when roles are not enforced:
    /// all functions then have the same access key.
    pub function: Option<String>,
    /// The access key that signed the request; empty for an unsigned request.
    pub access_key: String,
    /// Service and operation: `dynamodb.TransactWriteItems`, `ses.SendEmail`. REST operations
    /// that the proxy does not know keep method and path: `ses.GET /v2/email/identities`.
    pub operation: String,
    /// The SDK's attempt number, from 1. It is 1 when the client does not send one.
    pub attempt: u32,
    /// The request body as JSON; null when it is empty or not JSON.
    pub request: Value,
    /// What the client received.
    pub outcome: CallOutcome,
    /// The response of AWS, whether or not the client received it. `None` when the request was not
    /// forwarded, is still in progress or got no response.
    pub aws_response: Option<AwsResponse>,
}

/// How a call ended for the client.
#[derive(Debug, Clone, PartialEq)]
pub enum CallOutcome {
    /// The call has not ended yet.
    InProgress,
    /// The client received this response.
    Responded(AwsResponse),
    /// The connection was closed without a response, by an injected fault, by AWS or by the client.
    Disconnected,
}

/// An HTTP response in the form of an AWS API.
#[derive(Debug, Clone, PartialEq)]
pub struct AwsResponse {
    /// HTTP status.
    pub status: u16,
    /// The body as JSON; null when it is empty or not JSON.
    pub body: Value,
}

impl AwsCall {
    pub(super) fn from_request(head: &Parts, body: &Bytes) -> Self {
        let scope = CredentialScope::from_headers(&head.headers);
        let service = scope.as_ref().map_or("unsigned", |scope| scope.service);
        let access_key = scope.as_ref().map_or("", |scope| scope.access_key);

        Self {
            number: 0,
            function: None,
            access_key: access_key.to_owned(),
            operation: format!("{service}.{}", operation(head, service)),
            attempt: attempt(&head.headers).unwrap_or(1),
            request: json(body),
            outcome: CallOutcome::InProgress,
            aws_response: None,
        }
    }
}

impl AwsResponse {
    pub(super) fn from_response(response: &Response<Bytes>) -> Self {
        Self {
            status: response.status().as_u16(),
            body: json(response.body()),
        }
    }
}

/// Parts of the `Authorization` header of AWS Signature Version 4:
/// `AWS4-HMAC-SHA256 Credential=KEY/20260131/us-east-1/dynamodb/aws4_request, ...`.
struct CredentialScope<'a> {
    access_key: &'a str,
    service: &'a str,
}

impl<'a> CredentialScope<'a> {
    fn from_headers(headers: &'a HeaderMap) -> Option<Self> {
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

/// The name of the operation: from the `X-Amz-Target` header of the JSON protocols, or from method
/// and path for REST operations.
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

/// The attempt number in the AWS SDKs' header `amz-sdk-request: attempt=2; max=4`.
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
