//! From a process's start to the end of each invocation: what every function's `main.rs` shares.

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

/// Starts the logs (level from `LOG_LEVEL`, else `info`) and runs `start`, which reads the
/// configuration, builds the clients and serves. When it fails, the reason is logged with its
/// `error_type` and the process ends with a failure.
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

/// Answers invocations until Lambda ends the process.
///
/// Each runs in a span with its `request_id`; its end is logged once with outcome, duration and,
/// when it failed, `error_type`; its metrics are flushed. A panic fails the invocation as
/// `panicked`, an event of another shape as `event_invalid`; both say nothing of the event's
/// content.
///
/// `Err` means that Lambda's runtime API cannot be reached: the process should end.
pub async fn serve<E, R, F, Fut>(metrics: &Metrics, handler: F) -> Result<(), Failure>
where
    E: DeserializeOwned,
    R: Serialize,
    F: Fn(E, Context) -> Fut,
    Fut: Future<Output = Result<R, Failure>>,
{
    let handler = &handler;
    // No `TracingLayer`: the span below carries the request id under the name that our log lines
    // use. Boxed: the compiler gives up on the layout of a future this deep.
    Runtime::new(service_fn(|event| {
        Box::pin(invoke(metrics, handler, event))
    }))
    .run()
    .await
    .map_err(|error| runtime_api_failure(&error))
}

/// Lambda's runtime API cannot be reached: the process should end.
pub(crate) fn runtime_api_failure(error: &lambda_runtime::Error) -> Failure {
    Failure::new(
        ErrorType::Internal,
        format_args!("the Lambda runtime API failed: {error}"),
    )
}

/// One invocation, from Lambda's event to Lambda's answer.
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
    watch(metrics, handler, event)
        .await
        .map_err(Diagnostic::from)
}

/// What the handler answers to an event, logged and counted; a panic and an event of another shape
/// are failures too.
pub(crate) async fn watch<E, R, F, Fut>(
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
        let begin = Instant::now();
        // Unwind safety: what a broken-off handler leaves behind is the same as what a stopped
        // process leaves behind.
        let attempt =
            AssertUnwindSafe(async { handler(parse(payload)?, context).await }).catch_unwind();
        let answer = attempt.await.unwrap_or_else(|_panic| {
            Err(Failure::new(
                ErrorType::Panicked,
                "the function panicked; its logs say where",
            ))
        });
        let duration = begin.elapsed();

        metrics.count("invocations");
        metrics.time("invocation_time", duration);
        let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        match &answer {
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
        metrics.flush(&request_id);
        answer
    };
    invocation.instrument(span).await
}

fn parse<E: DeserializeOwned>(payload: Value) -> Result<E, Failure> {
    serde_path_to_error::deserialize(payload).map_err(|error| {
        // Not the inner error: it quotes the value that it stumbled over.
        let place = error.path().to_string();
        let place = if place == "." {
            "the event".to_owned()
        } else {
            format!("the event's field `{place}`")
        };
        Failure::new(
            ErrorType::EventInvalid,
            format_args!("{place} is not of the expected shape"),
        )
    })
}

#[cfg(test)]
mod tests {
    use std::io::sink;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::CapturedOutput;

    #[derive(Deserialize)]
    struct Event {
        name: String,
    }

    async fn answer(payload: Value) -> (Result<String, Diagnostic>, Metrics) {
        let metrics = Metrics::to_writer("fan-out", "local", sink());
        let mut context = Context::default();
        context.request_id = "8f3c".to_owned();
        let handler = async |event: Event, context: Context| match event.name.as_str() {
            "panic" => panic!("jane@example.com"),
            "fail" => Err(Failure::new(ErrorType::SecretMissing, "no value yet")),
            name => Ok(format!("{name} {}", context.request_id)),
        };
        (
            invoke(&metrics, &handler, LambdaEvent::new(payload, context)).await,
            metrics,
        )
    }

    #[tokio::test]
    async fn a_handler_gets_its_event_and_context() {
        assert_eq!(answer(json!({"name": "ada"})).await.0.unwrap(), "ada 8f3c");
    }

    #[tokio::test]
    async fn a_failure_returns_its_type_and_message() {
        let diagnostic = answer(json!({"name": "fail"})).await.0.unwrap_err();
        assert_eq!(
            (
                diagnostic.error_type.as_str(),
                diagnostic.error_message.as_str()
            ),
            ("secret_missing", "no value yet")
        );
    }

    #[tokio::test]
    async fn a_panic_fails_the_invocation_without_revealing_its_message() {
        let diagnostic = answer(json!({"name": "panic"})).await.0.unwrap_err();
        assert_eq!(diagnostic.error_type, "panicked");
        assert!(!diagnostic.error_message.contains("jane"));
    }

    #[tokio::test]
    async fn an_event_of_the_wrong_shape_is_reported_without_its_content() {
        for payload in [
            json!({"name": 42_424_242}),
            json!("jane@example.com"),
            json!({}),
        ] {
            let diagnostic = answer(payload).await.0.unwrap_err();
            assert_eq!(diagnostic.error_type, "event_invalid");
            assert!(
                !diagnostic.error_message.contains("4242")
                    && !diagnostic.error_message.contains("jane"),
                "{diagnostic:?}"
            );
        }
    }

    #[tokio::test]
    async fn each_invocation_logs_its_start_and_end_without_the_event() {
        let logs = CapturedOutput::default();
        let _guard = telemetry::init_with_writer("info", logs.clone());
        for payload in ["ada", "fail", "panic"] {
            answer(json!({"name": payload, "address": "jane@example.com"}))
                .await
                .1
                .flush("");
        }
        answer(json!({"name": 42_424_242})).await.1.flush("");

        let text = logs.text();
        assert!(!text.contains("jane") && !text.contains("4242"), "{text}");
        let lines = logs.lines();
        assert!(
            lines.iter().all(|line| line["request_id"] == "8f3c"),
            "{text}"
        );
        let ends: Vec<_> = lines
            .iter()
            .filter(|line| line["outcome"].is_string())
            .map(|line| (&line["outcome"], &line["error_type"]))
            .collect();
        assert_eq!(
            json!(ends),
            json!([
                ["succeeded", null],
                ["failed", "secret_missing"],
                ["failed", "panicked"],
                ["failed", "event_invalid"]
            ])
        );
        assert!(
            lines
                .iter()
                .filter(|line| line["outcome"].is_string())
                .all(|line| line["duration_ms"].is_u64())
        );
        assert_eq!(lines.len(), 8);
    }

    #[tokio::test]
    async fn each_invocation_writes_one_metrics_object() {
        let written = CapturedOutput::default();
        let metrics = Metrics::to_writer("fan-out", "local", written.clone());
        let handler = async |_: Value, _: Context| {
            metrics.count("sweeps");
            Ok::<_, Failure>(())
        };
        for _ in 0..2 {
            invoke(
                &metrics,
                &handler,
                LambdaEvent::new(json!({}), Context::default()),
            )
            .await
            .unwrap();
        }
        let objects = written.lines();
        assert_eq!(objects.len(), 2);
        assert!(
            objects
                .iter()
                .all(|object| object["sweeps"] == 1 && object["invocations"] == 1)
        );
    }
}
