use std::cell::{Cell, RefCell};

use serde_json::{Value, json};
use test_support::CapturedOutput;

use super::*;
use crate::metrics::Metrics;

const LONG_DEADLINE: Duration = Duration::from_mins(1);
const MIN_REMAINING_TIME: Duration = Duration::from_secs(5);

fn event(records: &[(&str, &str)]) -> SqsEvent {
    let records: Vec<Value> = records
        .iter()
        .map(|(id, body)| json!({"messageId": id, "body": body}))
        .collect();
    serde_json::from_value(json!({ "Records": records })).unwrap()
}

/// A handler whose outcome the body of the record names.
async fn scripted_handler(record: Record) -> HandlerOutcome {
    match record.body.as_str() {
        "good" => HandlerOutcome::Done,
        "retry" => HandlerOutcome::Retry,
        "panic" => panic!("jane@example.com"),
        "late panic" => {
            tokio::time::sleep(Duration::from_millis(10)).await;
            panic!("jane@example.com")
        }
        "slow" => {
            tokio::time::sleep(Duration::from_hours(1)).await;
            HandlerOutcome::Done
        }
        _ => HandlerOutcome::park("the message is not of a known shape"),
    }
}

async fn run(records: &[(&str, &str)]) -> Result<BatchOutcome, Failure> {
    run_batch(
        event(records),
        Deadline::after(LONG_DEADLINE),
        4,
        MIN_REMAINING_TIME,
        scripted_handler,
    )
    .await
}

fn failed(batch: &BatchOutcome) -> Vec<&str> {
    batch
        .response
        .batch_item_failures
        .iter()
        .map(|failure| failure.item_identifier.as_str())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn each_record_has_its_own_outcome() {
    let records = [
        ("1", "good"),
        ("2", "invalid"),
        ("3", "panic"),
        ("4", "good"),
        ("5", "slow"),
        ("6", "retry"),
        ("7", "late panic"),
        ("8", "good"),
    ];
    let batch = run(&records).await.unwrap();

    assert_eq!(failed(&batch), ["2", "3", "5", "6", "7"]);
    assert_eq!(
        batch.counts,
        RecordCounts {
            done: 3,
            retried: 1,
            parked: 1,
            panicked: 2,
            stopped: 1,
            not_started: 0
        }
    );
    assert_eq!(
        serde_json::to_value(&batch.response).unwrap()["batchItemFailures"][0],
        json!({"itemIdentifier": "2"}),
        "the response has the format that Lambda expects"
    );
}

#[tokio::test]
async fn a_batch_without_failures_returns_an_empty_list() {
    let batch = run(&[("1", "good"), ("2", "good")]).await.unwrap();
    assert_eq!(
        serde_json::to_value(&batch.response).unwrap(),
        json!({"batchItemFailures": []})
    );
    assert_eq!(run(&[]).await.unwrap(), BatchOutcome::default());
}

#[tokio::test(start_paused = true)]
async fn records_are_not_started_when_the_deadline_is_near() {
    let started = RefCell::new(Vec::new());
    let handler = async |record: Record| {
        started.borrow_mut().push(record.message_id);
        tokio::time::sleep(Duration::from_secs(4)).await;
        HandlerOutcome::Done
    };

    let records = event(&[("1", ""), ("2", ""), ("3", ""), ("4", ""), ("5", "")]);
    let batch = run_batch(
        records,
        Deadline::after(Duration::from_secs(10)),
        2,
        MIN_REMAINING_TIME,
        handler,
    )
    .await
    .unwrap();

    // Two at 0 s, two at 4 s; at 8 s less than MIN_REMAINING_TIME is left.
    assert_eq!(*started.borrow(), ["1", "2", "3", "4"]);
    assert_eq!(failed(&batch), ["5"]);
    assert_eq!(
        batch.counts,
        RecordCounts {
            done: 4,
            not_started: 1,
            ..RecordCounts::default()
        }
    );
}

#[tokio::test(start_paused = true)]
async fn no_more_than_concurrency_records_run_at_once() {
    let (running, most) = (Cell::new(0), Cell::new(0));
    let handler = async |_: Record| {
        running.set(running.get() + 1);
        most.set(most.get().max(running.get()));
        tokio::time::sleep(Duration::from_millis(10)).await;
        running.set(running.get() - 1);
        HandlerOutcome::Done
    };
    let records: Vec<_> = (0..10)
        .map(|number| (number.to_string(), String::new()))
        .collect();
    let records: Vec<_> = records
        .iter()
        .map(|(id, body)| (id.as_str(), body.as_str()))
        .collect();
    run_batch(
        event(&records),
        Deadline::after(LONG_DEADLINE),
        3,
        MIN_REMAINING_TIME,
        handler,
    )
    .await
    .unwrap();

    assert_eq!(most.get(), 3);
}

#[tokio::test]
async fn a_message_delivered_twice_in_a_batch_is_reported_once() {
    let batch = run(&[("1", "good"), ("1", "retry"), ("1", "retry"), ("2", "good")])
        .await
        .unwrap();

    assert_eq!(failed(&batch), ["1"]);
    assert_eq!(
        batch.counts,
        RecordCounts {
            done: 2,
            retried: 2,
            ..RecordCounts::default()
        }
    );
}

#[tokio::test]
async fn a_failed_record_without_an_id_fails_the_whole_batch() {
    let failure = run(&[("1", "good"), ("", "retry")]).await.unwrap_err();
    assert_eq!(failure.error_type, ErrorType::EventInvalid);
    let event = serde_json::from_value(json!({"Records": [{"body": "retry"}]})).unwrap();
    assert!(
        run_batch(
            event,
            Deadline::after(LONG_DEADLINE),
            1,
            MIN_REMAINING_TIME,
            scripted_handler
        )
        .await
        .is_err()
    );
}

#[tokio::test]
async fn a_successful_record_without_an_id_does_not_fail_the_batch() {
    let batch = run(&[("", "good"), ("2", "retry")]).await.unwrap();
    assert_eq!(failed(&batch), ["2"]);
}

#[test]
fn a_record_has_its_receive_count_and_a_redacted_body() {
    let message = serde_json::from_value(
        json!({"messageId": "1", "body": "jane", "attributes": {"ApproximateReceiveCount": "3"}}),
    )
    .unwrap();
    let record = Record::from_message(message);
    assert_eq!(record.receive_count, 3);
    assert_eq!(
        format!("{record:?}"),
        r#"Record { message_id: "1", body: [REDACTED; 4 bytes], receive_count: 3 }"#
    );
    assert_eq!(Record::from_message(SqsMessage::default()).receive_count, 1);
}

#[tokio::test]
async fn record_counts_become_metrics() {
    let metrics = Metrics::to_writer("sync-organization", "local", std::io::sink());
    run(&[("1", "good"), ("2", "good"), ("3", "invalid")])
        .await
        .unwrap()
        .counts
        .add_to(&metrics);
    assert!((metrics.total("records_done") - 2.0).abs() < f64::EPSILON);
    assert!((metrics.total("records_parked") - 1.0).abs() < f64::EPSILON);
    assert!(metrics.total("records_retried").abs() < f64::EPSILON);
}

#[tokio::test(start_paused = true)]
async fn failures_are_logged_once_each_with_their_ids_and_without_bodies() {
    let logs = CapturedOutput::default();
    let _guard = crate::telemetry::init_with_writer("info", logs.clone());
    let handler = async |record: Record| {
        record.log_organization_id(format_args!("008-{}", record.message_id));
        scripted_handler(record).await
    };

    let records = event(&[
        ("1", "good"),
        ("2", r#"{"name": "jane"}"#),
        ("3", "late panic"),
        ("4", "slow"),
    ]);
    run_batch(
        records,
        Deadline::after(LONG_DEADLINE),
        4,
        MIN_REMAINING_TIME,
        handler,
    )
    .await
    .unwrap();

    let text = logs.text();
    assert!(!text.contains("jane"), "{text}");
    let lines = logs.json_lines();
    let logged: Vec<_> = lines
        .iter()
        .map(|line| {
            json!([
                line["message_id"],
                line["organization_id"],
                line["reason"],
                line["error_type"]
            ])
        })
        .collect();
    assert_eq!(
        json!(logged),
        json!([
            ["2", "008-2", "the message is not of a known shape", null],
            ["3", "008-3", null, "panicked"],
            ["4", "008-4", null, null]
        ])
    );
}
