//! EventBridge: events put on the default bus. One call without an SDK of its own.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::ministack::MiniStack;

/// What the rules of a local stack listen to, since nobody but AWS may put events with a source of AWS.
const SOURCE: &str = "bill-engage.local";

/// Entries that one `PutEvents` takes.
const ENTRIES: usize = 10;

/// MiniStack reads the service and the key from a signature, and does not check it.
const SIGNATURE: &str =
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/events/aws4_request, SignedHeaders=host, Signature=not-checked";

pub(crate) async fn put(ministack: &MiniStack, detail_type: &str, details: &[Value]) -> Result<()> {
    for details in details.chunks(ENTRIES) {
        let entry = |detail: &Value| json!({"Source": SOURCE, "DetailType": detail_type, "Detail": detail.to_string()});
        let request = json!({"Entries": details.iter().map(entry).collect::<Vec<_>>()});
        let sent = ministack
            .http
            .post(&ministack.endpoint)
            .header("authorization", SIGNATURE)
            .header("x-amz-target", "AWSEvents.PutEvents")
            .header("content-type", "application/x-amz-json-1.1")
            .body(request.to_string())
            .send()
            .await?;
        let answer: Value = serde_json::from_slice(&sent.bytes().await?).context("MiniStack's answer is no JSON")?;
        ensure!(answer["FailedEntryCount"] == 0, "events were not taken: {answer}");
    }
    Ok(())
}
