//! The life of a function, from the start of its process to the end of each invocation.

use std::{panic::AssertUnwindSafe, process::ExitCode, time::Instant};

use futures::FutureExt;
use lambda_runtime::{Context, Diagnostic, LambdaEvent, Runtime, service_fn};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tracing::{Instrument, error, info, info_span};

use crate::{
    config::Environment,
    errors::{ErrorType, Failure},
    metrics::Metrics,
    telemetry,
};

/// Installs the log format (level from `LOG_LEVEL`, default `info`) and runs `start`, which reads
/// the configuration, builds the clients and calls [`serve`]. If `start` fails, logs the error with
/// its `error_type` and returns a failure as the exit code of the process.
pub async fn launch(start: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    let level = Environment::from_process().optional("LOG_LEVEL", "info".to_owned());
    telemetry::init(level.as_deref().unwrap_or("info"));

    match start.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure {
            error_type,
            message,
        }) => {
            error!(
                error_type = error_type.name(),
                error = message,
                "the function cannot start"
            );
            ExitCode::FAILURE
        }
    }
}

/// Handles invocations until Lambda ends the process.
///
/// Each invocation runs in a span with its `request_id`. Its end is logged once with outcome,
/// duration and, if it failed, `error_type`. Its metrics are flushed. A panic fails the invocation
/// as `panicked`, an event that does not parse as `event_invalid`. Neither error contains anything
/// of the event.
///
/// An `Err` means that the Lambda runtime API cannot be reached: the process should end.
pub async fn serve<E, R, F, Fut>(metrics: &Metrics, handler: F) -> Result<(), Failure>
where
    E: DeserializeOwned,
    R: Serialize,
    F: Fn(E, Context) -> Fut,
    Fut: Future<Output = Result<R, Failure>>,
{
    let handler = &handler;
    // The span in `run_handler` replaces the SDK's `TracingLayer`, which names the request id
    // differently. Boxed because the compiler cannot compute the layout of a future this deep.
    Runtime::new(service_fn(|event| {
        Box::pin(invoke(metrics, handler, event))
    }))
    .run()
    .await
    .map_err(|error| runtime_api_failure(&error))
}

/// The Lambda runtime API cannot be reached: the process should end.
pub(crate) fn runtime_api_failure(error: &lambda_runtime::Error) -> Failure {
    Failure::new(
        ErrorType::Internal,
        format_args!("the Lambda runtime API failed: {error}"),
    )
}

/// One invocation, with errors in the format that Lambda returns to the caller.
async fn invoke<E, R, F, Fut>(
    metrics: &Metrics,
    handler: &F,
    event: LambdaEvent<Value>,
) -> Result<R, Diagnostic>
where
    E: DeserializeOwned,
    F: Fn(E, Context) -> Fut,
    Fut: Future<Output = Result<R, Failure>>,
{
    run_handler(metrics, handler, event)
        .await
        .map_err(Diagnostic::from)
}

/// Runs the handler on an event, logs and measures the invocation, and flushes its metrics. A panic
/// and an event that does not parse are an `Err` too.
pub(crate) async fn run_handler<E, R, F, Fut>(
    metrics: &Metrics,
    handler: &F,
    event: LambdaEvent<Value>,
) -> Result<R, Failure>
where
    E: DeserializeOwned,
    F: Fn(E, Context) -> Fut,
    Fut: Future<Output = Result<R, Failure>>,
{
    let (payload, context) = event.into_parts();
    let request_id = context.request_id.clone();
    let span = info_span!("invocation", request_id);

    let invocation = async {
        info!("the invocation begins");
        let started = Instant::now();
        // Unwind safety: a panic leaves the same state behind as a process that Lambda stops.
        let attempt =
            AssertUnwindSafe(async { handler(parse(payload)?, context).await }).catch_unwind();
        let result = attempt.await.unwrap_or_else(|_panic| {
            Err(Failure::new(
                ErrorType::Panicked,
                "the function panicked; the log contains the location",
            ))
        });

        report(&result, started, metrics);
        metrics.flush(&request_id);
        result
    };
    invocation.instrument(span).await
}

/// Parses the event. The error names the invalid field. It does not contain the error of serde,
/// which quotes the invalid value.
fn parse<E: DeserializeOwned>(payload: Value) -> Result<E, Failure> {
    serde_path_to_error::deserialize(payload).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." {
            "the event".to_owned()
        } else {
            format!("the event's field `{path}`")
        };
        Failure::new(
            ErrorType::EventInvalid,
            format_args!("{place} is not of the expected shape"),
        )
    })
}

/// Logs and counts the end of an invocation.
fn report<R>(result: &Result<R, Failure>, started: Instant, metrics: &Metrics) {
    let duration = started.elapsed();
    let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    metrics.count("invocations");
    metrics.record_duration("invocation_time", duration);

    match result {
        Ok(_) => info!(outcome = "succeeded", duration_ms, "the invocation ends"),
        Err(Failure {
            error_type,
            message,
        }) => {
            metrics.count("failed_invocations");
            error!(
                outcome = "failed",
                error_type = error_type.name(),
                error = message,
                duration_ms,
                "the invocation ends"
            );
        }
    }
}

#[cfg(test)]
mod tests;
