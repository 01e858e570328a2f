//! Metrics in the embedded metric format (EMF) of `CloudWatch`: one JSON object per invocation on
//! standard output.
//!
//! The format is written without a library. `metrics_cloudwatch_embedded` requires a global
//! recorder, which tests in one process would share. `metrique` requires a derived structure per
//! unit of work and a sink. This crate needs one flat object of the [EMF
//! specification](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).

mod emf;

use std::{collections::BTreeMap, io::Write, sync::Arc, time::Duration};

use jiff::Timestamp;
use parking_lot::Mutex;

use crate::clock;
use emf::{Metric, Source};

/// Counts and durations of an invocation. Clones share their values, so concurrent record handlers
/// can all add to them.
///
/// The only dimensions are `environment` and `function`: with the organization id as a dimension
/// there would be one metric per customer. What was not flushed is written when the last clone is
/// dropped.
#[derive(Clone)]
pub struct Metrics(Arc<MetricsInner>);

struct MetricsInner {
    source: Source,
    metrics: Mutex<BTreeMap<&'static str, Metric>>,
    writer: Mutex<Box<dyn Write + Send>>,
}

impl Metrics {
    /// Metrics of `function` (such as `fan-out`) in `environment` (`local`, `sandbox` or
    /// `production`), on standard output.
    pub fn new(function: &'static str, environment: impl Into<String>) -> Self {
        Self::to_writer(function, environment, std::io::stdout())
    }

    /// Metrics on another writer, for tests.
    pub fn to_writer(
        function: &'static str,
        environment: impl Into<String>,
        writer: impl Write + Send + 'static,
    ) -> Self {
        Self(Arc::new(MetricsInner {
            source: Source {
                function,
                environment: environment.into(),
            },
            metrics: Mutex::default(),
            writer: Mutex::new(Box::new(writer)),
        }))
    }

    /// Adds one to a count.
    pub fn count(&self, name: &'static str) {
        self.add(name, 1);
    }

    /// Adds `count` to a count (unit `Count`). A count of zero creates the metric with the value 0.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of an invocation are far below 2^52"
    )]
    pub fn add(&self, name: &'static str, count: u64) {
        match self
            .0
            .metrics
            .lock()
            .entry(name)
            .or_insert(Metric::Count(0.0))
        {
            Metric::Count(sum) => *sum += count as f64,
            Metric::Milliseconds(values) => values.push(count as f64),
        }
    }

    /// Adds one measured duration (unit `Milliseconds`), from which `CloudWatch` computes averages
    /// and percentiles.
    pub(crate) fn record_duration(&self, name: &'static str, duration: Duration) {
        let milliseconds = duration.as_secs_f64() * 1000.0;

        match self
            .0
            .metrics
            .lock()
            .entry(name)
            .or_insert(Metric::Milliseconds(Vec::new()))
        {
            Metric::Milliseconds(values) => values.push(milliseconds),
            Metric::Count(sum) => *sum += milliseconds,
        }
    }

    /// The sum since the last flush, of durations in milliseconds. Zero for a metric without a
    /// value. For tests.
    pub fn total(&self, name: &str) -> f64 {
        match self.0.metrics.lock().get(name) {
            Some(Metric::Count(sum)) => *sum,
            Some(Metric::Milliseconds(values)) => values.iter().sum(),
            None => 0.0,
        }
    }

    /// Writes the values gathered since the last flush and resets them. Writes nothing if there are
    /// none.
    ///
    /// `request_id` becomes a property that log queries find, not a dimension. The format allows
    /// 100 durations of one metric per object. Further ones are written as further objects.
    pub fn flush(&self, request_id: &str) {
        self.0.flush(Some(request_id), clock::now());
    }
}

impl Drop for MetricsInner {
    fn drop(&mut self) {
        self.flush(None, clock::now());
    }
}

impl MetricsInner {
    fn flush(&self, request_id: Option<&str>, at: Timestamp) {
        let mut metrics = std::mem::take(&mut *self.metrics.lock());
        let mut lines = String::new();
        while !metrics.is_empty() {
            let (object, rest) = emf::object(&self.source, metrics, request_id, at);
            lines.push_str(&object.to_string());
            lines.push('\n');
            metrics = rest;
        }
        if lines.is_empty() {
            return;
        }

        let mut writer = self.writer.lock();
        let written = writer
            .write_all(lines.as_bytes())
            .and_then(|()| writer.flush());
        if let Err(error) = written {
            tracing::warn!(%error, "the metrics could not be written");
        }
    }
}

#[cfg(test)]
mod tests;
