use test_support::CapturedOutput;

use super::*;

fn metrics() -> (Metrics, CapturedOutput) {
    let written = CapturedOutput::default();
    let metrics = Metrics::to_writer("sync-organization", "local", written.clone());
    (metrics, written)
}

#[test]
fn an_invocation_is_one_emf_object() {
    let (metrics, written) = metrics();
    metrics.count("organizations_synced");
    metrics.add("organizations_synced", 2);
    metrics.record_duration("bank_request", Duration::from_micros(250));
    metrics.record_duration("bill_request", Duration::from_micros(120_500));
    metrics.record_duration("bill_request", Duration::from_millis(80));

    metrics
        .0
        .flush(Some("8f3c"), "2026-03-01T09:00:00Z".parse().unwrap());

    insta::assert_json_snapshot!(written.json_lines());
}

#[test]
fn flush_resets_the_metrics_and_writes_nothing_when_empty() {
    let (metrics, written) = metrics();
    metrics.flush("1");
    metrics.count("sweeps");
    assert!((metrics.total("sweeps") - 1.0).abs() < f64::EPSILON);

    metrics.flush("2");
    metrics.flush("3");

    assert_eq!(written.json_lines().len(), 1);
    assert_eq!(written.json_lines()[0]["request_id"], "2");
    assert!(metrics.total("sweeps").abs() < f64::EPSILON);
}

#[test]
fn unflushed_metrics_are_written_when_the_last_clone_is_dropped() {
    let (metrics, written) = metrics();
    let handlers: Vec<_> = (0..8)
        .map(|_| {
            let metrics = metrics.clone();
            std::thread::spawn(move || (0..100).for_each(|_| metrics.count("records")))
        })
        .collect();
    for handler in handlers {
        handler.join().unwrap();
    }
    assert!(written.json_lines().is_empty());

    drop(metrics);

    assert_eq!(written.json_lines()[0]["records"], 800);
}

#[test]
fn more_than_100_durations_are_split_over_objects() {
    let (metrics, written) = metrics();
    metrics.count("emails");
    (0..250).for_each(|_| metrics.record_duration("send", Duration::from_millis(1)));

    metrics.flush("1");

    let objects = written.json_lines();
    let lengths: Vec<_> = objects
        .iter()
        .map(|object| object["send"].as_array().unwrap().len())
        .collect();
    assert_eq!(lengths, [100, 100, 50]);
    let with_count = objects
        .iter()
        .filter(|object| object.get("emails").is_some());
    assert_eq!(with_count.count(), 1);
}
