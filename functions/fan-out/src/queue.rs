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

    /// Sends the requests, ten a call, and returns how many. An `Err` means that some were not sent: their organizations
    /// stay due. Sending twice is harmless: a look that was done is not repeated.
    pub async fn send(&self, requests: &[SyncRequest]) -> Result<u64, Failure> {
        stream::iter(requests.chunks(BATCH).map(|batch| self.send_batch(batch)))
            .buffer_unordered(CONCURRENCY)
            .try_collect::<Vec<()>>()
            .await?;
        Ok(requests.len() as u64)
    }

    async fn send_batch(&self, batch: &[SyncRequest]) -> Result<(), Failure> {
        let mut entries = batch.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
        for attempt in 1..=ATTEMPTS {
            let call = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries.clone()));
            let answer = call.send().await.map_err(|error| unavailable(error.code().unwrap_or("no answer")))?;
            let failed: Vec<&str> = answer.failed().iter().map(BatchResultErrorEntry::id).collect();
            if failed.is_empty() {
                return Ok(());
            }
            if let Some(refused) = answer.failed().iter().find(|failed| failed.sender_fault()) {
                return Err(unavailable(refused.code()));
            }
            entries.retain(|entry| failed.contains(&entry.id()));
            tracing::warn!(attempt, failed = entries.len(), "SQS did not take some messages; they are sent again");
            tokio::time::sleep(Duration::from_millis(100) * 2_u32.pow(attempt)).await;
        }
        Err(unavailable("entries failed repeatedly"))
    }
}

fn entry((index, request): (usize, &SyncRequest)) -> Result<SendMessageBatchRequestEntry, Failure> {
    let body = serde_json::to_string(request).map_err(|_| unavailable("a request could not be written as JSON"))?;
    SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(body)
        .build()
        .map_err(|_| unavailable("an entry was incomplete"))
}

fn unavailable(code: &str) -> Failure {
    Failure::new(ErrorType::QueueUnavailable, format!("the sync queue did not take the messages ({code})"))
}
