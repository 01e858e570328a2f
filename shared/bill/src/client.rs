use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use url::Url;

use crate::{
    answer::{Answer, ResponseParser, retry_after},
    base_url::BaseUrl,
    error::{Cause, Error, ErrorKind, Operation},
    lane::{CallScope, OutOfTime},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// Shorter than the pauses between two invocations that matter: a connection from before a freeze
/// is not trusted.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(5);
/// A hundred rows of BILL's are some hundred kilobytes.
const MAX_BODY_BYTES: usize = 16 << 20;

/// Waits of at most 0.25, 0.5, 1 and 2 seconds between five tries; the jitter is drawn in
/// [`Client::send`].
const BACKOFF: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(250))
    .with_max_delay(Duration::from_secs(5))
    .with_max_times(4);

/// The one builder of HTTP clients: every request has a connect and a total time-out, TLS is
/// rustls, redirects are not followed (they would carry sessions and keys to another host), and no
/// proxy is taken from the environment.
pub fn http_client() -> Result<reqwest::Client, ClientError> {
    #[expect(clippy::disallowed_methods, reason = "this is the one builder")]
    let builder = reqwest::Client::builder();
    let client = builder
        .user_agent(concat!("bill-engage/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT)
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .build()?;
    Ok(client)
}

/// The HTTP client cannot be built: the machine has no usable TLS set-up. Nothing helps at run
/// time.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be built: {0}")]
pub struct ClientError(#[from] reqwest::Error);

/// Sends single calls to BILL, as often as each is worth.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) base: BaseUrl,
    pub(crate) http: reqwest::Client,
}

/// One call, ready to be sent any number of times: everything this client calls is safe to repeat.
pub(crate) struct Call {
    operation: Operation,
    url: Option<Url>,
    query: Vec<(&'static str, String)>,
    headers: HeaderMap,
    body: Option<SecretString>,
}

impl Call {
    pub(crate) fn new(operation: Operation) -> Self {
        Self {
            operation,
            url: None,
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: None,
        }
    }

    pub(crate) fn operation(&self) -> Operation {
        self.operation
    }

    /// Elsewhere than at the operation's own path beneath the base URL.
    pub(crate) fn at(self, url: Url) -> Self {
        Self {
            url: Some(url),
            ..self
        }
    }

    pub(crate) fn query(self, query: Vec<(&'static str, String)>) -> Self {
        Self { query, ..self }
    }

    pub(crate) fn json(self, body: &serde_json::Value) -> Self {
        Self {
            body: Some(body.to_string().into()),
            ..self
        }
    }

    /// Adds a header that no log may show. `Err` when the value cannot be a header at all.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Result<Self, Error> {
        let unfit = || {
            Error::because(
                self.operation,
                ErrorKind::Refused,
                Cause::InvalidHeaderValue,
            )
        };
        let mut value = HeaderValue::from_str(value).map_err(|_| unfit())?;
        value.set_sensitive(true);
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit())?;
        self.headers.insert(name, value);
        Ok(self)
    }

    pub(crate) fn into_headers(self) -> HeaderMap {
        self.headers
    }
}

impl Client {
    /// Sends a call until an answer is final: up to five tries, with full jitter between them or as
    /// BILL's `Retry-After` asks, never beyond the lane's deadline. `Err` is what the last try
    /// said, or [`ErrorKind::Deadline`] around it.
    pub(crate) async fn send<T>(
        &self,
        call: &Call,
        headers: &HeaderMap,
        lane: CallScope<'_>,
        reader: ResponseParser<T>,
    ) -> Result<T, Error> {
        let mut attempts = 0;
        let mut has_time = true;
        let mut before = None;
        let outcome = (|| {
            attempts += 1;
            self.attempt(call, headers, lane, reader, attempts)
        })
        .retry(BACKOFF)
        .when(Error::should_retry_now)
        .adjust(|error, step| {
            let wait = wait(error, step?);
            // BILL may ask for more time than any clock can hold.
            has_time = Instant::now()
                .checked_add(wait)
                .is_some_and(|end| end < lane.deadline);
            before = Some(error.clone());
            has_time.then_some(wait)
        })
        .await;
        outcome.map_err(|error| match error.kind() {
            ErrorKind::Deadline if error.last().is_none() => {
                Error::out_of_time(call.operation, before)
            }
            _ if has_time => error.with_attempts(attempts),
            _ => Error::out_of_time(call.operation, Some(error.with_attempts(attempts))),
        })
    }

    async fn attempt<T>(
        &self,
        call: &Call,
        headers: &HeaderMap,
        lane: CallScope<'_>,
        reader: ResponseParser<T>,
        attempt: u32,
    ) -> Result<T, Error> {
        let permit = lane
            .permit()
            .await
            .map_err(|OutOfTime| Error::out_of_time(call.operation, None))?;
        let left = lane.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::out_of_time(call.operation, None));
        }
        lane.tally.count(call.operation.is_sign_in());
        let started = Instant::now();
        let answer = self
            .send_once(call, headers, left.min(REQUEST_TIMEOUT))
            .await;
        drop(permit);
        let status = answer.as_ref().ok().map(|answer| answer.status);
        let outcome = match answer {
            Ok(answer) => answer.read(call.operation, reader),
            Err(Cause::TimedOut) if left <= REQUEST_TIMEOUT => {
                let timed_out =
                    Error::because(call.operation, ErrorKind::Unavailable, Cause::TimedOut)
                        .with_attempts(attempt);
                Err(Error::out_of_time(call.operation, Some(timed_out)))
            }
            Err(cause @ (Cause::IncompleteBody | Cause::BodyTooLarge)) => {
                Err(Error::because(call.operation, ErrorKind::BadAnswer, cause))
            }
            Err(cause) => Err(Error::because(
                call.operation,
                ErrorKind::Unavailable,
                cause,
            )),
        };
        tracing::debug!(
            operation = call.operation.id(),
            attempt,
            status,
            elapsed_ms = started.elapsed().as_millis(),
            error_type = outcome.as_ref().err().map(Error::type_name),
            "BILL request"
        );
        outcome
    }

    async fn send_once(
        &self,
        call: &Call,
        headers: &HeaderMap,
        timeout: Duration,
    ) -> Result<Answer, Cause> {
        let url = call
            .url
            .clone()
            .unwrap_or_else(|| self.base.join(call.operation.path()));
        let mut request = self.http.request(call.operation.method(), url);
        request = request
            .timeout(timeout)
            .headers(call.headers.clone())
            .headers(headers.clone());
        if !call.query.is_empty() {
            request = request.query(&call.query);
        }
        if let Some(body) = &call.body {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(body.expose_secret().to_owned());
        }
        let response = request
            .send()
            .await
            .map_err(|error| transport_cause(&error))?;
        let status = response.status();
        let retry_after = retry_after(response.headers());
        let body = match body(response).await {
            Ok(body) => body,
            // A refusal needs no body: its status says enough.
            Err(Cause::IncompleteBody) if !status.is_success() => String::new(),
            Err(cause) => return Err(cause),
        };
        Ok(Answer {
            status: status.as_u16(),
            body,
            retry_after,
        })
    }
}

/// The whole body as text; a broken character is replaced, for the sake of its neighbours.
async fn body(mut response: reqwest::Response) -> Result<String, Cause> {
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

/// A `reqwest::Error` itself goes no further: it shows the URL.
fn transport_cause(error: &reqwest::Error) -> Cause {
    if error.is_timeout() {
        Cause::TimedOut
    } else if error.is_connect() {
        Cause::ConnectFailed
    } else {
        Cause::ConnectionLost
    }
}

/// Full jitter, after what BILL asked for.
fn wait(error: &Error, step: Duration) -> Duration {
    let jittered = step.mul_f64(rand::random());
    error
        .retry_after()
        .map_or(jittered, |asked| asked.saturating_add(jittered))
}
