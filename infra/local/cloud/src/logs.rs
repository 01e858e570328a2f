//! Reads the logs of the functions.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::ministack::MiniStack;

/// All lines of a log group, in order. `Err` means that the log group does not exist or cannot be
/// read.
pub(crate) async fn lines(ministack: &MiniStack, group: &str) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    let mut request = json!({"logGroupName": group});

    loop {
        let page = ministack
            .call("logs", "Logs_20140328.FilterLogEvents", &request)
            .await?;
        let events = page["events"]
            .as_array()
            .context("the FilterLogEvents response has no events")?;
        lines.extend(
            events
                .iter()
                .filter_map(|event| event["message"].as_str().map(str::to_owned)),
        );
        let Value::String(next) = &page["nextToken"] else {
            return Ok(lines);
        };
        request["nextToken"] = next.as_str().into();
    }
}
