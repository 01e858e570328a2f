//! The life of a function, from the start of its process to the end of each invocation.

use std::{
    panic::AssertUnwindSafe,
    process::ExitCode,
    time::{Duration, Instant},
};

use environment::EnvironmentReader;
use errors::ErrorType;
use futures::FutureExt;
use jiff::Timestamp;
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tracing::{Instrument, error, info, info_span};

use crate::{clock, deadline::Deadline, failure::Failure, metrics::Metrics, telemetry};

/// One invocation of a function, as its handler sees it.
#[derive(Clone)]
pub struct Invocation {
    /// Lambda's id of the invocation. Lambda may deliver one event twice under one id.
    pub request_id: String,
    /// Start of the invocation, in whole seconds.
    pub started_at: Timestamp,
    /// The time by which the handler must have finished its work.
    pub deadline: Deadline,
    /// Counts and durations of the invocation.
    pub metrics: Metrics,
    /// The moment of `started_at`, from which [`Invocation::now`] counts.
    pub begun: Instant,
}

impl Invocation {
    /// An invocation that starts now.
    pub fn new(request_id: String, deadline: Deadline, metrics: Metrics) -> Self {
        Self {
            request_id,
            started_at: clock::now(),
            deadline,
            metrics,
            begun: Instant::now(),
        }
    }

    /// The current time in whole seconds: the time that has passed since `started_at` is added to
    /// it. A test that sets `started_at` sets the clock of the invocation.
    pub fn now(&self) -> Timestamp {
        let now = self.started_at.saturating_add(self.begun.elapsed());

        now.map_or(self.started_at, clock::truncate_to_seconds)
    }
}

/// An event that a function handles. Types that implement [`DeserializeOwned`] are events.
pub trait Event: Sized {
    /// Parses the event. An `Err` is permanent and contains nothing of the event.
    fn parse(payload: Value) -> Result<Self, Failure>;
}

/// Installs the log format (level from `LOG_LEVEL`, default `info`) and runs `start`, which reads
/// the configuration, builds the clients and calls [`serve`]. If `start` fails, logs the error with
/// its `error_type` and returns a failure as the exit code of the process.
pub async fn launch(start: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    let level = EnvironmentReader::from_process().optional("LOG_LEVEL", "info".to_owned());
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

/// Handles invocations until Lambda ends the process. The deadline of each is `margin` before the
/// time at which Lambda stops it.
///
/// Each invocation runs in a span with its `request_id`. Its end is logged once with outcome,
/// duration and, if it failed, `error_type`. Its metrics are flushed. A panic fails the invocation
/// as `panicked`, an event that does not parse as `event_invalid`. Neither error contains anything
/// of the event.
///
/// An `Err` means that the Lambda runtime API cannot be reached: the process should end.
pub async fn serve<E, R>(
    metrics: Metrics,
    margin: Duration,
    handler: impl AsyncFn(E, Invocation) -> Result<R, Failure>,
) -> Result<(), Failure>
where
    E: Event,
    R: Serialize,
{
    let invoke = async |event: LambdaEvent<Value>| {
        run_handler(&metrics, margin, &handler, event)
            .await
            .map_err(Diagnostic::from)
    };

    // The span in `run_handler` replaces the SDK's `TracingLayer`, which names the request id
    // differently. Boxed because the compiler cannot compute the layout of a future this deep.
    Runtime::new(service_fn(|event| Box::pin(invoke(event))))
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

/// Runs the handler on an event, logs and measures the invocation, and flushes its metrics. A panic
/// and an event that does not parse are an `Err` too.
pub(crate) async fn run_handler<E: Event, R>(
    metrics: &Metrics,
    margin: Duration,
    handler: &impl AsyncFn(E, Invocation) -> Result<R, Failure>,
    event: LambdaEvent<Value>,
) -> Result<R, Failure> {
    let (payload, context) = event.into_parts();
    let request_id = context.request_id.clone();
    let span = info_span!("invocation", request_id);
    let deadline = Deadline::from_context(&context, margin);
    let invocation = Invocation::new(request_id.clone(), deadline, metrics.clone());

    let run = async {
        info!("the invocation begins");
        let started = Instant::now();
        // Unwind safety: a panic leaves the same state behind as a process that Lambda stops.
        let attempt = AssertUnwindSafe(async { handler(E::parse(payload)?, invocation).await })
            .catch_unwind();
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
    run.instrument(span).await
}

/// The error names the invalid field. It does not contain the error of serde, which quotes the
/// invalid value.
impl<E: DeserializeOwned> Event for E {
    fn parse(payload: Value) -> Result<Self, Failure> {
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
