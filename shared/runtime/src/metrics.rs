//! Metrics in `CloudWatch`'s embedded metric format (EMF): one JSON object on standard output per
//! invocation.
//!
//! Written by hand on purpose: `metrics_cloudwatch_embedded` wants a global recorder, which tests
//! in one process would share, and `metrique` a derived structure per unit of work and a sink; what
//! is needed here is one flat object of the [EMF
//! specification](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).

use std::{collections::BTreeMap, io::Write, sync::Arc, time::Duration};

use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};

use crate::clock;

const NAMESPACE: &str = "BillEngage";
/// The specification's limit for the values of one metric in one object.
const VALUES_PER_OBJECT: usize = 100;

/// Counts and measures during an invocation. Clones share their numbers, so concurrent record
/// handlers can all add to them.
///
/// Dimensions are `environment` and `function` alone: an organization's id as a dimension would
/// make a metric per customer. What was not flushed is written when the last clone is dropped.
#[derive(Clone)]
pub struct Metrics(Arc<Shared>);

struct Shared {
    function: &'static str,
    environment: String,
    metrics: Mutex<BTreeMap<&'static str, Metric>>,
    writer: Mutex<Box<dyn Write + Send>>,
}

enum Metric {
    Sum(f64),
    Milliseconds(Vec<f64>),
}

impl Metrics {
    /// Metrics of `function` (such as `fan-out`) in `environment` (`local`, `sandbox`,
    /// `production`), to standard output.
    pub fn new(function: &'static str, environment: impl Into<String>) -> Self {
        Self::to_writer(function, environment, std::io::stdout())
    }

    /// Metrics that are written elsewhere: for tests.
    pub fn to_writer(
        function: &'static str,
        environment: impl Into<String>,
        writer: impl Write + Send + 'static,
    ) -> Self {
        Self(Arc::new(Shared {
            function,
            environment: environment.into(),
            metrics: Mutex::default(),
            writer: Mutex::new(Box::new(writer)),
        }))
    }

    /// Adds `value` to a sum (unit `Count`). A value that is no finite number is ignored.
    pub fn add(&self, name: &'static str, value: f64) {
        if !value.is_finite() {
            return;
        }
        match self
            .0
            .metrics
            .lock()
            .entry(name)
            .or_insert(Metric::Sum(0.0))
        {
            Metric::Sum(sum) => *sum += value,
            Metric::Milliseconds(values) => values.push(value),
        }
    }

    /// Adds one.
    pub fn count(&self, name: &'static str) {
        self.add(name, 1.0);
    }

    /// Adds a number of things.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of an invocation are far below 2^52"
    )]
    pub fn add_count(&self, name: &'static str, count: usize) {
        self.add(name, count as f64);
    }

    /// Adds one measured duration (unit `Milliseconds`), from which `CloudWatch` computes averages
    /// and percentiles.
    pub fn time(&self, name: &'static str, duration: Duration) {
        let milliseconds = duration.as_secs_f64() * 1000.0;
        match self
            .0
            .metrics
            .lock()
            .entry(name)
            .or_insert(Metric::Milliseconds(Vec::new()))
        {
            Metric::Milliseconds(values) => values.push(milliseconds),
            Metric::Sum(sum) => *sum += milliseconds,
        }
    }

    /// The sum so far (of durations: in milliseconds); zero for a name that was not used since the
    /// last flush.
    pub fn total(&self, name: &str) -> f64 {
        match self.0.metrics.lock().get(name) {
            Some(Metric::Sum(sum)) => *sum,
            Some(Metric::Milliseconds(values)) => values.iter().sum(),
            None => 0.0,
        }
    }

    /// Writes what was gathered and starts from zero; nothing is written when there is nothing.
    ///
    /// `request_id` becomes a property that can be searched for, not a dimension. More than 100
    /// durations of one name, which is the format's limit, go into a further object.
    pub fn flush(&self, request_id: &str) {
        self.0.flush(Some(request_id), clock::now());
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.flush(None, clock::now());
    }
}

impl Shared {
    fn flush(&self, request_id: Option<&str>, at: Timestamp) {
        let mut metrics = std::mem::take(&mut *self.metrics.lock());
        let mut lines = String::new();
        while !metrics.is_empty() {
            let (object, rest) = self.object(metrics, request_id, at);
            lines.push_str(&object.to_string());
            lines.push('\n');
            metrics = rest;
        }
        if lines.is_empty() {
            return;
        }
        let mut writer = self.writer.lock();
        if let Err(error) = writer
            .write_all(lines.as_bytes())
            .and_then(|()| writer.flush())
        {
            tracing::warn!(%error, "the metrics could not be written");
        }
    }

    /// One object, and what did not fit into it.
    fn object(
        &self,
        metrics: BTreeMap<&'static str, Metric>,
        request_id: Option<&str>,
        at: Timestamp,
    ) -> (Value, BTreeMap<&'static str, Metric>) {
        let mut definitions = Vec::new();
        let mut values = Map::new();
        let mut rest = BTreeMap::new();
        for (name, metric) in metrics {
            let (unit, value) = match metric {
                Metric::Sum(sum) => ("Count", number(sum)),
                Metric::Milliseconds(mut durations) => {
                    if durations.len() > VALUES_PER_OBJECT {
                        rest.insert(
                            name,
                            Metric::Milliseconds(durations.split_off(VALUES_PER_OBJECT)),
                        );
                    }
                    ("Milliseconds", durations.into_iter().map(number).collect())
                }
            };
            definitions.push(json!({ "Name": name, "Unit": unit }));
            values.insert(name.to_owned(), value);
        }
        let mut object = json!({
            "_aws": {
                "Timestamp": at.as_millisecond(),
                "CloudWatchMetrics": [{
                    "Namespace": NAMESPACE,
                    "Dimensions": [["environment", "function"]],
                    "Metrics": definitions,
                }],
            },
            "environment": self.environment,
            "function": self.function,
        });
        if let Some(fields) = object.as_object_mut() {
            fields.extend(request_id.map(|id| ("request_id".to_owned(), id.into())));
            fields.extend(values);
        }
        (object, rest)
    }
}

/// Whole numbers without a fraction, others to the thousandth: shorter, and the same to
/// `CloudWatch`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "guarded by the range check"
)]
fn number(value: f64) -> Value {
    let rounded = (value * 1000.0).round() / 1000.0;
    if rounded.fract() == 0.0 && rounded.abs() < 9e15 {
        json!(rounded as i64)
    } else {
        json!(rounded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CapturedOutput;

    fn metrics() -> (Metrics, CapturedOutput) {
        let written = CapturedOutput::default();
        (
            Metrics::to_writer("sync-organization", "local", written.clone()),
            written,
        )
    }

    #[test]
    fn an_invocation_is_one_emf_object() {
        let (metrics, written) = metrics();
        metrics.count("organizations_synced");
        metrics.add("organizations_synced", 2.0);
        metrics.add("amount", 0.25);
        metrics.time("bill_request", Duration::from_micros(120_500));
        metrics.time("bill_request", Duration::from_millis(80));
        metrics
            .0
            .flush(Some("8f3c"), "2026-03-01T09:00:00Z".parse().unwrap());
        insta::assert_json_snapshot!(written.lines());
    }

    #[test]
    fn flush_resets_the_metrics_and_writes_nothing_when_empty() {
        let (metrics, written) = metrics();
        metrics.flush("1");
        metrics.count("sweeps");
        assert!((metrics.total("sweeps") - 1.0).abs() < f64::EPSILON);
        metrics.flush("2");
        metrics.flush("3");
        assert_eq!(written.lines().len(), 1);
        assert_eq!(written.lines()[0]["request_id"], "2");
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
        assert!(written.lines().is_empty());
        drop(metrics);
        assert_eq!(written.lines()[0]["records"], 800);
    }

    #[test]
    fn more_than_100_durations_are_split_over_objects() {
        let (metrics, written) = metrics();
        metrics.count("mails");
        (0..250).for_each(|_| metrics.time("send", Duration::from_millis(1)));
        metrics.flush("1");
        let lengths: Vec<_> = written
            .lines()
            .iter()
            .map(|object| object["send"].as_array().unwrap().len())
            .collect();
        assert_eq!(lengths, [100, 100, 50]);
        assert_eq!(
            written
                .lines()
                .iter()
                .filter(|object| object.get("mails").is_some())
                .count(),
            1
        );
    }

    #[test]
    fn non_finite_values_are_ignored() {
        let (metrics, written) = metrics();
        metrics.add("broken", f64::NAN);
        metrics.add("broken", f64::INFINITY);
        metrics.flush("1");
        assert!(written.lines().is_empty());
    }
}
