//! Sends single calls to BILL over HTTP: time-outs, retries with backoff, and the log line of each
//! request.

mod call;
mod call_scope;
mod http;
mod request_counter;

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use errors::ClassifiedError;
use reqwest::header::HeaderMap;
use tokio::time::Instant;

use crate::{
    base_url::BaseUrl,
    error::{Cause, Error, ErrorKind},
    operation::Operation,
    response::{ApiResponse, ResponseParser, parse_retry_after},
};
use http::REQUEST_TIMEOUT;

pub(crate) use call::Call;
pub(crate) use call_scope::{CallScope, DeadlineExceeded};
pub use http::{HttpClientError, http_client};
pub(crate) use request_counter::RequestCounter;

/// Upper limit for the body of a response. A page of 100 rows has a few hundred kilobytes.
const MAX_BODY_BYTES: usize = 16 << 20;

/// At most 0.25, 0.5, 1 and 2 seconds between five attempts. [`retry_delay`] adds the jitter.
const BACKOFF: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(250))
    .with_max_delay(Duration::from_secs(5))
    .with_max_times(4);

/// Sends calls and retries those that failed transiently.
#[derive(Clone)]
pub(crate) struct Transport {
    pub(crate) base_url: BaseUrl,
    http: reqwest::Client,
}

impl Transport {
    pub(crate) fn new(base_url: BaseUrl, http: reqwest::Client) -> Self {
        Self { base_url, http }
    }

    /// Sends a call with at most five attempts. Between them it waits with full jitter, longer when
    /// BILL's `Retry-After` asks for it, and never beyond the deadline of `scope`.
    ///
    /// `Err` is the error of the last attempt; when the deadline ended the attempts, it is
    /// [`ErrorKind::Deadline`] with that error inside.
    pub(crate) async fn send<T>(
        &self,
        call: &Call,
        headers: &HeaderMap,
        scope: CallScope<'_>,
        parse: ResponseParser<T>,
    ) -> Result<T, Error> {
        let mut attempts = 0;
        let mut fits_deadline = true;
        let mut previous_error = None;

        let outcome = (|| {
            attempts += 1;
            self.attempt(call, headers, scope, parse, attempts)
        })
        .retry(BACKOFF)
        .when(Error::should_retry_now)
        .adjust(|error, backoff| {
            let delay = retry_delay(error, backoff?);
            // `Retry-After` may exceed what an `Instant` can hold.
            fits_deadline = Instant::now()
                .checked_add(delay)
                .is_some_and(|end| end < scope.deadline);
            previous_error = Some(error.clone());
            fits_deadline.then_some(delay)
        })
        .await;

        outcome.map_err(|error| match error.kind() {
            ErrorKind::Deadline if error.last_error().is_none() => {
                Error::deadline_exceeded(call.operation(), previous_error)
            }
            _ if fits_deadline => error.with_attempts(attempts),
            _ => Error::deadline_exceeded(call.operation(), Some(error.with_attempts(attempts))),
        })
    }

    async fn attempt<T>(
        &self,
        call: &Call,
        headers: &HeaderMap,
        scope: CallScope<'_>,
        parse: ResponseParser<T>,
        attempt: u32,
    ) -> Result<T, Error> {
        let operation = call.operation();
        let permit = scope
            .acquire_permit()
            .await
            .map_err(|DeadlineExceeded| Error::deadline_exceeded(operation, None))?;
        let remaining = scope.deadline.saturating_duration_since(Instant::now());
        if remaining.is_zero() {
            return Err(Error::deadline_exceeded(operation, None));
        }

        scope.request_counter.record(operation.is_sign_in());
        let started = Instant::now();
        let response = self
            .send_once(call, headers, remaining.min(REQUEST_TIMEOUT))
            .await;
        drop(permit);

        let status = response.as_ref().ok().map(|response| response.status);
        let outcome = match response {
            Ok(response) => response.parse(operation, parse),
            Err(Cause::TimedOut) if remaining <= REQUEST_TIMEOUT => {
                let timed_out = error_without_response(operation, Cause::TimedOut);
                Err(Error::deadline_exceeded(
                    operation,
                    Some(timed_out.with_attempts(attempt)),
                ))
            }
            Err(cause) => Err(error_without_response(operation, cause)),
        };
        tracing::debug!(
            operation = operation.id(),
            attempt,
            status,
            elapsed_ms = started.elapsed().as_millis(),
            error_type = outcome
                .as_ref()
                .err()
                .map(|error| error.error_type().name()),
            "BILL request"
        );

        outcome
    }

    async fn send_once(
        &self,
        call: &Call,
        headers: &HeaderMap,
        timeout: Duration,
    ) -> Result<ApiResponse, Cause> {
        let response = call
            .to_request(&self.http, &self.base_url)
            .headers(headers.clone())
            .timeout(timeout)
            .send()
            .await
            .map_err(|error| cause_of_send_error(&error))?;

        let status = response.status();
        let retry_after = parse_retry_after(response.headers());
        let body = match read_body(response).await {
            Ok(body) => body,
            // The status of an error response is sufficient.
            Err(Cause::IncompleteBody) if !status.is_success() => String::new(),
            Err(cause) => return Err(cause),
        };

        Ok(ApiResponse {
            status: status.as_u16(),
            body,
            retry_after,
        })
    }
}

/// The whole body as text. Invalid UTF-8 is replaced, so that one damaged name does not make the
/// whole page unreadable.
async fn read_body(mut response: reqwest::Response) -> Result<String, Cause> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| {
        if error.is_timeout() {
            Cause::TimedOut
        } else {
            Cause::IncompleteBody
        }
    })? {
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(Cause::BodyTooLarge);
        }
        body.extend_from_slice(&chunk);
    }

    Ok(String::from_utf8(body)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// The `reqwest::Error` itself is dropped here because its text contains the URL.
fn cause_of_send_error(error: &reqwest::Error) -> Cause {
    if error.is_timeout() {
        Cause::TimedOut
    } else if error.is_connect() {
        Cause::ConnectFailed
    } else {
        Cause::ConnectionLost
    }
}

fn error_without_response(operation: Operation, cause: Cause) -> Error {
    let kind = match cause {
        Cause::IncompleteBody | Cause::BodyTooLarge => ErrorKind::BadAnswer,
        _ => ErrorKind::Unavailable,
    };
    Error::with_cause(operation, kind, cause)
}

/// Full jitter on `backoff`, in addition to the `Retry-After` of the response.
fn retry_delay(error: &Error, backoff: Duration) -> Duration {
    let jittered = backoff.mul_f64(rand::random());
    error
        .retry_after()
        .map_or(jittered, |retry_after| retry_after.saturating_add(jittered))
}
