//! One object of the embedded metric format.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

const NAMESPACE: &str = "BillEngage";

/// Values of one metric in one object, a limit of the specification.
const MAX_VALUES_PER_OBJECT: usize = 100;

/// The values of the dimensions.
pub struct Source {
    /// The name of the function, such as `fan-out`.
    pub function: &'static str,
    /// `local`, `sandbox` or `production`.
    pub environment: String,
}

/// The values of one metric.
pub enum Metric {
    /// A sum of counts.
    Count(f64),
    /// Durations, each written as a value of its own.
    Milliseconds(Vec<f64>),
}

/// An object with these metrics, and the durations that exceed the limit of the object.
pub fn object(
    source: &Source,
    metrics: BTreeMap<&'static str, Metric>,
    request_id: Option<&str>,
    at: Timestamp,
) -> (Value, BTreeMap<&'static str, Metric>) {
    let mut definitions = Vec::new();
    let mut values = Map::new();
    let mut rest = BTreeMap::new();
    for (name, metric) in metrics {
        let (unit, value) = match metric {
            Metric::Count(sum) => ("Count", number(sum)),
            Metric::Milliseconds(mut durations) => {
                if durations.len() > MAX_VALUES_PER_OBJECT {
                    let further = durations.split_off(MAX_VALUES_PER_OBJECT);
                    rest.insert(name, Metric::Milliseconds(further));
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
        "environment": source.environment,
        "function": source.function,
    });
    if let Some(fields) = object.as_object_mut() {
        fields.extend(request_id.map(|id| ("request_id".to_owned(), id.into())));
        fields.extend(values);
    }

    (object, rest)
}

/// A whole number without a fraction, other numbers rounded to three decimals, to keep the object
/// short.
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
