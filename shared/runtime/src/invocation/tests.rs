use std::io::sink;

use lambda_runtime::Context;
use serde::Deserialize;
use serde_json::json;
use test_support::CapturedOutput;

use super::*;

#[derive(Deserialize)]
struct Event {
    name: String,
}

const MARGIN: Duration = Duration::from_secs(5);

async fn respond(payload: Value) -> (Result<String, Diagnostic>, Metrics) {
    let metrics = Metrics::to_writer("fan-out", "local", sink());
    let mut context = Context::default();
    context.request_id = "8f3c".to_owned();
    let handler = async |event: Event, invocation: Invocation| match event.name.as_str() {
        "panic" => panic!("jane@example.com"),
        "fail" => Err(Failure::new(ErrorType::SecretMissing, "no value yet")),
        name => Ok(format!("{name} {}", invocation.request_id)),
    };

    let result = run_handler(
        &metrics,
        MARGIN,
        &handler,
        LambdaEvent::new(payload, context),
    )
    .await;
    (result.map_err(Diagnostic::from), metrics)
}

#[tokio::test]
async fn a_handler_gets_its_event_and_invocation() {
    assert_eq!(respond(json!({"name": "ada"})).await.0.unwrap(), "ada 8f3c");
}

#[tokio::test]
async fn a_failure_returns_its_type_and_message() {
    let diagnostic = respond(json!({"name": "fail"})).await.0.unwrap_err();

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
    let diagnostic = respond(json!({"name": "panic"})).await.0.unwrap_err();

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
        let diagnostic = respond(payload).await.0.unwrap_err();

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
        respond(json!({"name": payload, "address": "jane@example.com"}))
            .await
            .1
            .flush("");
    }
    respond(json!({"name": 42_424_242})).await.1.flush("");

    let text = logs.text();
    assert!(!text.contains("jane") && !text.contains("4242"), "{text}");

    let lines = logs.json_lines();
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
    let handler = async |_: Value, invocation: Invocation| {
        invocation.metrics.count("sweeps");
        Ok::<_, Failure>(())
    };

    for _ in 0..2 {
        run_handler(
            &metrics,
            MARGIN,
            &handler,
            LambdaEvent::new(json!({}), Context::default()),
        )
        .await
        .unwrap();
    }

    let objects = written.json_lines();
    assert_eq!(objects.len(), 2);
    assert!(
        objects
            .iter()
            .all(|object| object["sweeps"] == 1 && object["invocations"] == 1)
    );
}
