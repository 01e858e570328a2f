//! HTTP functions: requests and answers of API Gateway's HTTP APIs (payload format 2.0).
//!
//! A path can hold a capability and a body personal data, so neither is ever logged, and
//! [`Request`] cannot be printed.

use std::{borrow::Cow, collections::HashMap, time::Duration};

use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_lambda_events::{
    apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse},
    encodings::Body,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use lambda_runtime::{Context, Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::{Value, json};

use crate::{
    errors::{ErrorType, Failure},
    invocation::{runtime_api_failure, watch},
    metrics::Metrics,
};

pub use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

/// The set-up of the AWS SDK for a function that somebody waits for: each call, its one repeat
/// included, is over within 4.5 seconds, so that a function of 15 seconds can make three, one after
/// the other, and still say that it failed.
pub async fn aws_config() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_millis(4_500))
        .build();
    let retries = RetryConfig::standard().with_max_attempts(2);
    crate::aws_config()
        .await
        .into_builder()
        .timeout_config(timeouts)
        .retry_config(retries)
        .build()
}

/// Answers HTTP requests until Lambda ends the process, logging and counting each as
/// [`serve`](crate::serve) does.
///
/// A failed invocation would make API Gateway answer 500 with words of its own. So a [`Failure`] is
/// answered too, by `apology`: 503 with `Retry-After`, or 500 when it is a fault of this program,
/// which trying again does not mend. What a client sends must not end as a `Failure`: the handler
/// answers it with a status in the 400s.
///
/// `Err` means that Lambda's runtime API cannot be reached: the process should end.
pub async fn serve<F, Fut>(
    metrics: &Metrics,
    error_response: impl Fn(StatusCode) -> Response,
    handler: F,
) -> Result<(), Failure>
where
    F: Fn(Request, Context) -> Fut,
    Fut: Future<Output = Result<Response, Failure>>,
{
    let (error_response, handler) = (&error_response, &handler);
    let answer = |event| {
        Box::pin(async move {
            Ok::<_, Diagnostic>(answer(metrics, error_response, handler, event).await)
        })
    };
    Runtime::new(service_fn(answer))
        .run()
        .await
        .map_err(|error| runtime_api_failure(&error))
}

async fn answer<F, Fut>(
    metrics: &Metrics,
    error_response: &impl Fn(StatusCode) -> Response,
    handler: &F,
    event: LambdaEvent<Value>,
) -> ApiGatewayV2httpResponse
where
    F: Fn(Request, Context) -> Fut,
    Fut: Future<Output = Result<Response, Failure>>,
{
    let of_request =
        |event: ApiGatewayV2httpRequest, context| handler(Request::from(event), context);
    let response = watch(metrics, &of_request, event)
        .await
        .unwrap_or_else(|failure| match failure.error_type {
            // Not from API Gateway: somebody invoked the function by hand.
            ErrorType::EventInvalid => error_response(StatusCode::BAD_REQUEST),
            ErrorType::Internal | ErrorType::Panicked => {
                error_response(StatusCode::INTERNAL_SERVER_ERROR)
            }
            _ => error_response(StatusCode::SERVICE_UNAVAILABLE)
                .with_header(header::RETRY_AFTER, RETRY_AFTER),
        });
    response.into()
}

/// Seconds after which trying again makes sense.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("60");

/// A request.
#[derive(Clone)]
pub struct Request {
    method: Method,
    path_parameters: HashMap<String, String>,
    headers: HeaderMap,
    body: String,
    is_base64_encoded: bool,
}

/// A body that is not to be worked on. Permanent: the client's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// More bytes than the caller takes.
    #[error("the body is longer than {limit} bytes")]
    TooLong {
        /// What the caller takes.
        limit: usize,
    },
    /// Said to be base64 and is not. API Gateway does not send this.
    #[error("the body is not the base64 that it is said to be")]
    NotBase64,
}

impl Request {
    /// The method, in upper case.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// What stands in the path in the place of a route's `{name}`.
    pub fn path_parameter(&self, name: &str) -> Option<&str> {
        self.path_parameters.get(name).map(String::as_str)
    }

    /// A header, whatever the case of its name. `None` also when it is not ASCII. API Gateway joins
    /// headers of one name by commas.
    pub fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The bytes that the client sent, of which there are `limit` at most; none when there was no
    /// body.
    pub fn body(&self, limit: usize) -> Result<Cow<'_, [u8]>, BodyError> {
        let length = if self.is_base64_encoded {
            base64::decoded_len_estimate(self.body.len()).saturating_sub(2)
        } else {
            self.body.len()
        };
        if length > limit {
            return Err(BodyError::TooLong { limit });
        }
        if !self.is_base64_encoded {
            return Ok(Cow::Borrowed(self.body.as_bytes()));
        }
        let bytes = BASE64_STANDARD
            .decode(&self.body)
            .map_err(|_| BodyError::NotBase64)?;
        if bytes.len() > limit {
            Err(BodyError::TooLong { limit })
        } else {
            Ok(Cow::Owned(bytes))
        }
    }
}

impl From<ApiGatewayV2httpRequest> for Request {
    fn from(event: ApiGatewayV2httpRequest) -> Self {
        Self {
            method: event.request_context.http.method,
            path_parameters: event.path_parameters,
            headers: event.headers,
            body: event.body.unwrap_or_default(),
            is_base64_encoded: event.is_base64_encoded,
        }
    }
}

/// An answer: status, headers, and a text as body.
#[derive(Clone)]
pub struct Response {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Response {
    /// An answer of some media type.
    pub fn new(status: StatusCode, content_type: HeaderValue, body: String) -> Self {
        Self {
            status,
            headers: HeaderMap::from_iter([(header::CONTENT_TYPE, content_type)]),
            body,
        }
    }

    /// An answer without a body, and so without a media type.
    pub fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: String::new(),
        }
    }

    /// A page.
    pub fn html(status: StatusCode, page: String) -> Self {
        Self::new(
            status,
            HeaderValue::from_static("text/html; charset=utf-8"),
            page,
        )
    }

    /// What went wrong, for programs (RFC 9457). The status says what kind of problem it is,
    /// `detail` what to do about it.
    pub fn problem(status: StatusCode, detail: &str) -> Self {
        let title = status.canonical_reason().unwrap_or_default(); // what RFC 9457, section 4.2.1, asks of a problem without a type
        let problem = json!({ "title": title, "status": status.as_u16(), "detail": detail });
        Self::new(
            status,
            HeaderValue::from_static("application/problem+json"),
            problem.to_string(),
        )
    }

    /// The same with a header, in the place of one of that name.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The same without its body, as an answer to `HEAD`.
    #[must_use]
    pub fn without_body(self) -> Self {
        Self {
            body: String::new(),
            ..self
        }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body; empty when there is none.
    pub fn body(&self) -> &str {
        &self.body
    }
}

impl From<Response> for ApiGatewayV2httpResponse {
    fn from(response: Response) -> Self {
        let mut answer = Self::default();
        answer.status_code = i64::from(response.status.as_u16());
        answer.headers = response.headers;
        answer.body = (!response.body.is_empty()).then_some(Body::Text(response.body));
        answer
    }
}

#[cfg(test)]
mod tests;
