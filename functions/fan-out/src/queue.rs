//! Sends sync requests to the sync queue.

use std::time::Duration;

use aws_config::SdkConfig;
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
    pub fn new(aws: &SdkConfig, url: String) -> Self {
        Self {
            client: Client::new(aws),
            url,
        }
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
        error_type = ErrorType::QueueUnavailable.name(),
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
    use std::{
        collections::HashSet,
        sync::{Arc, Mutex},
    };

    use axum::{Json, Router};
    use engagement::ListedOrganization;
    use serde_json::{Value, json};

    use super::*;

    /// How the local SQS fails the messages about organizations whose id ends in 7.
    #[derive(Clone, Copy, PartialEq)]
    enum Fault {
        Rejected,
        FailedOnce,
        FailedAlways,
    }

    /// An SQS with this fault.
    async fn queue(fault: Fault) -> SyncQueue {
        let failed = Arc::new(Mutex::new(HashSet::new()));
        let respond = move |call: String| {
            let call: Value = serde_json::from_str(&call).unwrap();
            let mut response = json!({ "Failed": [], "Successful": [] });
            for entry in call["Entries"].as_array().unwrap() {
                let body = entry["MessageBody"].as_str().unwrap();
                let is_first = failed.lock().unwrap().insert(body.to_owned());
                let fails = body.contains(r#"7","#) && (is_first || fault != Fault::FailedOnce);
                let results = if fails { "Failed" } else { "Successful" };
                response[results].as_array_mut().unwrap().push(json!({
                    "Id": entry["Id"],
                    "MessageId": "id",
                    "MD5OfMessageBody": "",
                    "SenderFault": fault == Fault::Rejected,
                    "Code": "InternalError",
                }));
            }
            std::future::ready(Json(response))
        };
        let server = test_support::serve(Router::new().fallback(respond)).await;
        SyncQueue::new(
            &test_support::sdk_config(&server),
            format!("{server}/000000000000/sync"),
        )
    }

    /// Requests about 35 organizations, of whom the ids of three end in 7.
    fn requests() -> Vec<SyncRequest> {
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
        (0..35).map(request).collect()
    }

    #[tokio::test]
    async fn a_message_rejected_by_sqs_does_not_block_the_others() {
        let queue = queue(Fault::Rejected).await;

        assert_eq!(queue.send(&requests()).await, Ok(32));
    }

    #[tokio::test]
    async fn a_message_that_sqs_fails_is_sent_again() {
        let queue = queue(Fault::FailedOnce).await;

        assert_eq!(queue.send(&requests()).await, Ok(35));
    }

    #[tokio::test]
    async fn a_message_that_sqs_keeps_failing_fails_the_run() {
        let queue = queue(Fault::FailedAlways).await;

        let failure = queue.send(&requests()[7..8]).await.unwrap_err();

        assert_eq!(failure.error_type, ErrorType::QueueUnavailable);
    }
}
