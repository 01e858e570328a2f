//! The sync queue, as the sender sees it.

use std::time::Duration;

use aws_sdk_sqs::{
    Client,
    error::ProvideErrorMetadata,
    types::{BatchResultErrorEntry, SendMessageBatchRequestEntry},
};
use engagement::SyncRequest;
use futures::{StreamExt, TryStreamExt, stream};
use runtime::{ErrorType, Failure};

/// Messages in one `SendMessageBatch`, the most that SQS takes.
const BATCH: usize = 10;

/// `SendMessageBatch` calls under way at once.
const CONCURRENCY: usize = 5;

/// Times that the entries which SQS reports as failed are sent.
const ATTEMPTS: u32 = 5;

/// Sends requests to the sync queue.
#[derive(Debug, Clone)]
pub struct SyncQueue {
    client: Client,
    url: String,
}

impl SyncQueue {
    /// A queue at `url`.
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Sends the requests, ten a call, and returns how many. What SQS refuses for good is passed
    /// over and logged, so that it does not hold up its neighbours. An `Err` means that some were
    /// not sent: their organizations stay due. Sending twice is harmless: a look that was done is
    /// not repeated.
    pub async fn send(&self, requests: &[SyncRequest]) -> Result<u64, Failure> {
        let sent = stream::iter(requests.chunks(BATCH).map(|batch| self.send_batch(batch)))
            .buffer_unordered(CONCURRENCY);
        sent.try_fold(0, async |all, sent| Ok(all + sent)).await
    }

    async fn send_batch(&self, batch: &[SyncRequest]) -> Result<u64, Failure> {
        let mut entries = batch
            .iter()
            .enumerate()
            .map(entry)
            .collect::<Result<Vec<_>, _>>()?;
        let mut sent = 0;
        for attempt in 1..=ATTEMPTS {
            let call = self
                .client
                .send_message_batch()
                .queue_url(&self.url)
                .set_entries(Some(entries.clone()));
            let answer = call
                .send()
                .await
                .map_err(|error| unavailable(error.code().unwrap_or("no answer")))?;
            sent += answer.successful().len() as u64;
            let (refused, failed): (Vec<_>, Vec<_>) = answer
                .failed()
                .iter()
                .partition(|failed| failed.sender_fault());
            for refused in refused {
                let organization_id = refused
                    .id()
                    .parse()
                    .ok()
                    .and_then(|index: usize| batch.get(index))
                    .map(|request| &request.organization.id);
                let organization_id = organization_id.map(tracing::field::display);
                tracing::error!(
                    organization_id,
                    error_type = "queue_unavailable",
                    code = refused.code(),
                    "SQS refuses an organization's message"
                );
            }
            if failed.is_empty() {
                return Ok(sent);
            }
            let failed: Vec<&str> = failed.into_iter().map(BatchResultErrorEntry::id).collect();
            entries.retain(|entry| failed.contains(&entry.id()));
            tracing::warn!(
                attempt,
                failed = entries.len(),
                "SQS did not take some messages; they are sent again"
            );
            tokio::time::sleep(Duration::from_millis(100) * 2_u32.pow(attempt)).await;
        }
        Err(unavailable("entries failed repeatedly"))
    }
}

fn entry((index, request): (usize, &SyncRequest)) -> Result<SendMessageBatchRequestEntry, Failure> {
    let body = serde_json::to_string(request)
        .map_err(|_| unavailable("a request could not be written as JSON"))?;
    SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(body)
        .build()
        .map_err(|_| unavailable("an entry was incomplete"))
}

fn unavailable(code: &str) -> Failure {
    Failure::new(
        ErrorType::QueueUnavailable,
        format!("the sync queue did not take the messages ({code})"),
    )
}

#[cfg(test)]
mod tests {
    use axum::{Json, Router};
    use engagement::ListedOrganization;
    use serde_json::{Value, json};

    use super::*;

    /// An SQS that refuses every message about an organization whose id ends in 7.
    async fn queue() -> SyncQueue {
        let answer = async |call: String| {
            let call: Value = serde_json::from_str(&call).unwrap();
            let entries = call["Entries"].as_array().unwrap().iter();
            let (refused, taken): (Vec<_>, Vec<_>) = entries
                .partition(|entry| entry["MessageBody"].as_str().unwrap().contains(r#"7","#));
            let failed = |entry: &Value| json!({ "Id": entry["Id"], "SenderFault": true, "Code": "InvalidMessageContents" });
            let successful = |entry: &Value| json!({ "Id": entry["Id"], "MessageId": "id", "MD5OfMessageBody": "" });
            Json(json!({
                "Failed": refused.into_iter().map(failed).collect::<Vec<_>>(),
                "Successful": taken.into_iter().map(successful).collect::<Vec<_>>(),
            }))
        };
        let server = test_support::serve(Router::new().fallback(answer)).await;
        SyncQueue::new(
            Client::new(&test_support::aws(&server)),
            format!("{server}/000000000000/sync"),
        )
    }

    #[tokio::test]
    async fn a_message_rejected_by_sqs_does_not_block_the_others() {
        let request = |number: u32| SyncRequest {
            schema_version: SyncRequest::SCHEMA_VERSION,
            run_id: "run".to_owned(),
            organization: ListedOrganization {
                id: format!("008{number}").parse().unwrap(),
                name: None,
                archived: false,
                created_at: None,
            },
            as_of: "2026-11-23T09:00:00Z".parse().unwrap(),
            all: false,
            events_until: None,
        };
        let requests: Vec<_> = (0..35).map(request).collect();
        assert_eq!(
            queue().await.send(&requests).await.unwrap(),
            32,
            "all but 7, 17 and 27"
        );
    }
}
