//! Puts events on the default EventBridge bus.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::ministack::MiniStack;

/// The event source that the rules of a local stack match. Only AWS itself may put events with a
/// source that starts with `aws.`.
const SOURCE: &str = "bill-engage.local";

/// Maximum number of entries in one `PutEvents` call.
const MAX_ENTRIES_PER_CALL: usize = 10;

/// Puts one event per detail. `Err` means that not every event was accepted.
pub(crate) async fn put(ministack: &MiniStack, detail_type: &str, details: &[Value]) -> Result<()> {
    for details in details.chunks(MAX_ENTRIES_PER_CALL) {
        let entries: Vec<_> = details
            .iter()
            .map(|detail| {
                json!({
                    "Source": SOURCE, "DetailType": detail_type, "Detail": detail.to_string()
                })
            })
            .collect();
        let request = json!({ "Entries": entries });
        let response = ministack
            .call("events", "AWSEvents.PutEvents", &request)
            .await?;
        ensure!(
            response["FailedEntryCount"] == 0,
            "events were not accepted: {response}"
        );
    }

    Ok(())
}
