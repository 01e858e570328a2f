//! EventBridge: events put on the default bus.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::ministack::MiniStack;

/// What the rules of a local stack listen to, since nobody but AWS may put events with a source of
/// AWS.
const SOURCE: &str = "bill-engage.local";

/// Entries that one `PutEvents` takes.
const MAX_ENTRIES_PER_CALL: usize = 10;

pub(crate) async fn put(ministack: &MiniStack, detail_type: &str, details: &[Value]) -> Result<()> {
    for details in details.chunks(MAX_ENTRIES_PER_CALL) {
        let entry = |detail: &Value| json!({"Source": SOURCE, "DetailType": detail_type, "Detail": detail.to_string()});
        let request = json!({"Entries": details.iter().map(entry).collect::<Vec<_>>()});
        let answer = ministack
            .call("events", "AWSEvents.PutEvents", &request)
            .await?;
        ensure!(
            answer["FailedEntryCount"] == 0,
            "events were not taken: {answer}"
        );
    }
    Ok(())
}
