//! Functions behind an HTTP API of API Gateway (payload format 2.0).
//!
//! A path can contain a token and a body personal data. Neither is ever logged, and [`Request`]
//! does not implement `Debug`.

mod request;
mod response;

use std::time::Duration;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use errors::ErrorType;
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::Value;

use crate::{
    failure::Failure,
    invocation::{Invocation, run_handler, runtime_api_failure},
    metrics::Metrics,
};

pub use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
pub use request::{BodyError, Request};
pub use response::Response;

/// The time-outs of the AWS calls keep a request far from its deadline.
const DEADLINE_MARGIN: Duration = Duration::ZERO;

/// Seconds after which a client may retry a failed request.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("60");

/// Handles HTTP requests until Lambda ends the process. Logs and counts each of them as
/// [`serve`](crate::serve) does.
///
/// A failed invocation would make API Gateway respond with 500 and a body of its own. So a
/// [`Failure`] becomes a response too, built by `error_response`: 500 for a defect of this program,
/// otherwise 503 with `Retry-After`. Invalid input must not become a `Failure`: the handler
/// responds to it with a 4xx status.
///
/// An `Err` means that the Lambda runtime API cannot be reached: the process should end.
pub async fn serve(
    metrics: Metrics,
    error_response: impl Fn(StatusCode) -> Response,
    handler: impl AsyncFn(Request, Invocation) -> Result<Response, Failure>,
) -> Result<(), Failure> {
    let invoke = async |event: LambdaEvent<Value>| {
        Ok::<_, Diagnostic>(respond(&metrics, &error_response, &handler, event).await)
    };

    Runtime::new(service_fn(|event| Box::pin(invoke(event))))
        .run()
        .await
        .map_err(|error| runtime_api_failure(&error))
}

async fn respond(
    metrics: &Metrics,
    error_response: &impl Fn(StatusCode) -> Response,
    handler: &impl AsyncFn(Request, Invocation) -> Result<Response, Failure>,
    event: LambdaEvent<Value>,
) -> ApiGatewayV2httpResponse {
    let handle_request = async |event: ApiGatewayV2httpRequest, invocation| {
        handler(Request::from(event), invocation).await
    };

    let response = run_handler(metrics, DEADLINE_MARGIN, &handle_request, event)
        .await
        .unwrap_or_else(|failure| match failure.error_type {
            // API Gateway does not send such an event: the function was invoked directly.
            ErrorType::EventInvalid => error_response(StatusCode::BAD_REQUEST),
            ErrorType::Internal | ErrorType::Panicked => {
                error_response(StatusCode::INTERNAL_SERVER_ERROR)
            }
            _ => error_response(StatusCode::SERVICE_UNAVAILABLE)
                .with_header(header::RETRY_AFTER, RETRY_AFTER),
        });
    response.into()
}

#[cfg(test)]
mod tests;
