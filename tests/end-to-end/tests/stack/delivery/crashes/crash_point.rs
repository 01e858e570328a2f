//! Where a function crashes, and invocations that crash there.

use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, anyhow};
use local_cloud::{AwsFault, LocalCloud};
use serde_json::{Value, json};

use crate::support::read_event;

/// Operations that change something outside the function.
const SIDE_EFFECTS: [&str; 7] = [
    "dynamodb.DeleteItem",
    "dynamodb.PutItem",
    "dynamodb.TransactWriteItems",
    "dynamodb.UpdateItem",
    "ses.SendEmail",
    "sqs.SendMessage",
    "sqs.SendMessageBatch",
];

/// Whether a function crashes before AWS receives the call, or before the function receives the
/// response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashTiming {
    Before,
    After,
}

/// The side effect at which a function crashes, and whether it crashes before or after it.
#[derive(Debug, Clone, Copy)]
pub struct CrashPoint {
    /// Index of the side effect within the invocation, from 0.
    pub effect_index: usize,
    pub timing: CrashTiming,
}

impl CrashPoint {
    /// All crash points in the order in which an invocation reaches them. It does not end.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..).flat_map(|effect_index| {
            [CrashTiming::Before, CrashTiming::After].map(|timing| Self {
                effect_index,
                timing,
            })
        })
    }
}

/// Invokes a function that crashes at a point: all its calls to AWS fail from there on. Returns the
/// operation at which it crashed; `None`: the invocation ended before.
pub async fn invoke_and_crash_at(
    cloud: &LocalCloud,
    function: &'static str,
    event: &Value,
    crash_point: CrashPoint,
) -> Result<Option<String>> {
    let effects = Arc::new(Mutex::new(Vec::<String>::new()));
    let seen = Arc::clone(&effects);

    cloud.fault_proxy()?.set_fault_plan(move |call| {
        let Ok(mut seen) = seen.lock() else {
            return AwsFault::PassThrough;
        };
        let has_crashed = seen.len() > crash_point.effect_index;
        if call.function.as_deref() != Some(function)
            || (!has_crashed && !SIDE_EFFECTS.contains(&call.operation.as_str()))
        {
            return AwsFault::PassThrough;
        }

        seen.push(call.operation.clone());
        let crashes_now = !has_crashed && seen.len() > crash_point.effect_index;
        match (has_crashed, crashes_now, crash_point.timing) {
            (true, ..) | (false, true, CrashTiming::Before) => AwsFault::DropRequest,
            (false, true, CrashTiming::After) => AwsFault::DropResponse,
            (false, false, _) => AwsFault::PassThrough,
        }
    });
    cloud.invoke(function, event).await?;
    cloud
        .fault_proxy()?
        .set_fault_plan(|_| AwsFault::PassThrough);

    let effects = effects
        .lock()
        .map_err(|_| anyhow!("the fault plan panicked"))?;
    Ok(effects.get(crash_point.effect_index).cloned())
}

/// The sample event of a file with one record, whose body is `body`.
pub fn single_record_batch(file: &str, body: &str) -> Result<Value> {
    let mut batch = read_event(file)?;
    let records = batch["Records"].as_array_mut().context("no records")?;
    records.truncate(1);
    records[0]["body"] = json!(body);
    Ok(batch)
}
