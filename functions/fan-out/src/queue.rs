//! Sends sync requests to the sync queue.

use std::time::Duration;

use aws_sdk_sqs::{
    Client,
    error::ProvideErrorMetadata,
    types::{BatchResultErrorEntry, SendMessageBatchRequestEntry},
};
use engagement::SyncRequest;
use futures::{StreamExt, TryStreamExt, stream};
use runtime::{ErrorType, Failure};

/// Messages per `SendMessageBatch` call, the maximum of SQS.
const BATCH_SIZE: usize = 10;

/// Concurrent `SendMessageBatch` calls.
const CONCURRENCY: usize = 5;

/// Number of times that a message is sent when SQS reports a retryable failure for it.
const MAX_ATTEMPTS: u32 = 5;

/// Sends requests to the sync queue.
#[derive(Debug, Clone)]
pub struct SyncQueue {
    client: Client,
    url: String,
}

impl SyncQueue {
    /// The queue with this URL.
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Sends the requests, ten per call, and returns how many were sent. A message that SQS rejects
    /// permanently is logged and skipped, so that it does not block the others.
    ///
    /// An `Err` means that some requests were not sent. Their organizations stay due. Sending a
    /// request twice is harmless, because its sync runs only once.
    pub async fn send(&self, requests: &[SyncRequest]) -> Result<u64, Failure> {
        let sent = stream::iter(
            requests
                .chunks(BATCH_SIZE)
                .map(|batch| self.send_batch(batch)),
        )
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
        for attempt in 1..=MAX_ATTEMPTS {
            let call = self
                .client
                .send_message_batch()
                .queue_url(&self.url)
                .set_entries(Some(entries.clone()));
            let response = call
                .send()
                .await
                .map_err(|error| unavailable(error.code().unwrap_or("no response")))?;
            sent += response.successful().len() as u64;

            let (rejected, failed): (Vec<_>, Vec<_>) = response
                .failed()
                .iter()
                .partition(|failed| failed.sender_fault());
            for entry in rejected {
                log_rejected(entry, batch);
            }

            if failed.is_empty() {
                return Ok(sent);
            }
            let failed: Vec<&str> = failed.into_iter().map(BatchResultErrorEntry::id).collect();
            entries.retain(|entry| failed.contains(&entry.id()));
            tracing::warn!(
                attempt,
                failed = entries.len(),
                "SQS did not accept some messages; they are sent again"
            );
            tokio::time::sleep(Duration::from_millis(100) * 2_u32.pow(attempt)).await;
        }

        Err(unavailable("some entries failed on every attempt"))
    }
}

/// Logs a message that SQS rejected permanently.
fn log_rejected(entry: &BatchResultErrorEntry, batch: &[SyncRequest]) {
    let organization_id = entry
        .id()
        .parse()
        .ok()
        .and_then(|index: usize| batch.get(index))
        .map(|request| tracing::field::display(&request.organization.id));

    tracing::error!(
        organization_id,
        error_type = "queue_unavailable",
        code = entry.code(),
        "SQS rejected the message of an organization"
    );
}

/// The entry of a request. Its id is the index in the batch.
fn entry((index, request): (usize, &SyncRequest)) -> Result<SendMessageBatchRequestEntry, Failure> {
    let body = serde_json::to_string(request)
        .map_err(|_| unavailable("a request could not be serialized"))?;
    SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(body)
        .build()
        .map_err(|_| unavailable("an entry is incomplete"))
}

fn unavailable(code: &str) -> Failure {
    Failure::new(
        ErrorType::QueueUnavailable,
        format!("the sync queue did not accept the messages ({code})"),
    )
}

#[cfg(test)]
mod tests {
    use axum::{Json, Router};
    use engagement::ListedOrganization;
    use serde_json::{Value, json};

    use super::*;

    /// An SQS that rejects every message about an organization whose id ends in 7.
    async fn queue() -> SyncQueue {
        let respond = async |call: String| {
            let call: Value = serde_json::from_str(&call).unwrap();
            let entries = call["Entries"].as_array().unwrap().iter();
            let (rejected, accepted): (Vec<_>, Vec<_>) = entries
                .partition(|entry| entry["MessageBody"].as_str().unwrap().contains(r#"7","#));
            let failed = |entry: &Value| {
                json!({
                    "Id": entry["Id"],
                    "SenderFault": true,
                    "Code": "InvalidMessageContents",
                })
            };
            let successful = |entry: &Value| {
                json!({
                    "Id": entry["Id"],
                    "MessageId": "id",
                    "MD5OfMessageBody": "",
                })
            };
            Json(json!({
                "Failed": rejected.into_iter().map(failed).collect::<Vec<_>>(),
                "Successful": accepted.into_iter().map(successful).collect::<Vec<_>>(),
            }))
        };
        let server = test_support::serve(Router::new().fallback(respond)).await;
        SyncQueue::new(
            Client::new(&test_support::sdk_config(&server)),
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
