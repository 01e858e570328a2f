//! Reads the queues of the stack without receiving their messages.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use aws_sdk_sqs::types::QueueAttributeName;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::{cloud::LocalCloud, ministack::MiniStack};

/// Number of messages in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Available to receive.
    visible: u64,
    /// Received, neither deleted nor returned to the queue yet.
    in_flight: u64,
    /// Delayed and not available yet.
    delayed: u64,
}

impl Backlog {
    /// All messages, in whatever state.
    pub fn total(self) -> u64 {
        self.visible + self.in_flight + self.delayed
    }

    async fn fetch(sqs: &aws_sdk_sqs::Client, queue_url: &str) -> Result<Self> {
        use QueueAttributeName::{
            ApproximateNumberOfMessages, ApproximateNumberOfMessagesDelayed,
            ApproximateNumberOfMessagesNotVisible,
        };

        let response = sqs
            .get_queue_attributes()
            .queue_url(queue_url)
            .attribute_names(QueueAttributeName::All)
            .send()
            .await?;
        let attributes = response
            .attributes()
            .context("the queue has no attributes")?;
        let count = |name: QueueAttributeName| -> Result<u64> {
            Ok(attributes
                .get(&name)
                .with_context(|| format!("the queue has no attribute {name}"))?
                .parse()?)
        };

        Ok(Self {
            visible: count(ApproximateNumberOfMessages)?,
            in_flight: count(ApproximateNumberOfMessagesNotVisible)?,
            delayed: count(ApproximateNumberOfMessagesDelayed)?,
        })
    }
}

impl LocalCloud {
    /// Number of messages in the sync queue.
    pub async fn backlog(&self) -> Result<Backlog> {
        Backlog::fetch(self.sqs(), self.output("SyncQueueUrl")?).await
    }

    /// All messages of the events queue. They stay in the queue.
    pub async fn queued_events(&self) -> Result<Vec<QueuedMessage>> {
        self.messages("EventsQueueUrl").await
    }

    /// All messages of the sync queue's dead-letter queue. They stay in the queue.
    pub async fn dead_letters(&self) -> Result<Vec<QueuedMessage>> {
        self.messages("SyncDeadLetterQueueUrl").await
    }

    /// All messages of the queue that a stack output names. They stay in the queue.
    pub async fn messages(&self, queue_output: &str) -> Result<Vec<QueuedMessage>> {
        peek(self.ministack(), self.output(queue_output)?).await
    }

    /// Waits until the sync queue is empty twice in a row and passes each reading to `on_progress`.
    /// `Err` means that it is not empty after `timeout`.
    pub async fn wait_until_drained(
        &self,
        timeout: Duration,
        on_progress: impl FnMut(Backlog),
    ) -> Result<()> {
        self.wait_until_queue_drained("SyncQueueUrl", timeout, on_progress)
            .await
    }

    /// Like [`LocalCloud::wait_until_drained`], for the queue that a stack output names.
    pub async fn wait_until_queue_drained(
        &self,
        queue_output: &str,
        timeout: Duration,
        mut on_progress: impl FnMut(Backlog),
    ) -> Result<()> {
        let queue_url = self.output(queue_output)?;
        let deadline = Instant::now() + timeout;

        let mut consecutive_empty = 0;
        while consecutive_empty < 2 {
            let backlog = Backlog::fetch(self.sqs(), queue_url).await?;
            on_progress(backlog);
            consecutive_empty = if backlog.total() == 0 {
                consecutive_empty + 1
            } else {
                0
            };
            if Instant::now() > deadline {
                bail!(
                    "the queue of {queue_output} still holds {} messages after {} s",
                    backlog.total(),
                    timeout.as_secs()
                );
            }
            sleep(Duration::from_millis(250)).await;
        }

        Ok(())
    }
}

/// A message in a queue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct QueuedMessage {
    /// The message body.
    pub body: String,
    /// Number of times it was received.
    receive_count: u32,
}

/// All messages of a queue, including those in flight and delayed.
async fn peek(ministack: &MiniStack, queue_url: &str) -> Result<Vec<QueuedMessage>> {
    from_page(
        &ministack
            .get_admin_json(&format!("/_ministack/sqs/messages?QueueUrl={queue_url}"))
            .await?,
    )
}

fn from_page(page: &Value) -> Result<Vec<QueuedMessage>> {
    let accounts = page["messages"]
        .as_object()
        .into_iter()
        .flat_map(|accounts| accounts.values());
    let regions = accounts
        .filter_map(Value::as_object)
        .flat_map(|regions| regions.values());
    let queues = regions
        .filter_map(Value::as_object)
        .flat_map(|queues| queues.values());
    let mut messages = Vec::new();
    for queue in queues {
        messages.extend(Vec::<QueuedMessage>::deserialize(queue)?);
    }

    Ok(messages)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn messages_are_found_below_account_region_and_queue() {
        let message =
            json!({"MessageId": "1", "Body": "{}", "ReceiveCount": 5, "IsVisible": false});
        let queue = json!({"http://127.0.0.1:4566/000000000000/q": [message]});
        let page = json!({"messages": {"000000000000": {"us-east-1": queue}}});

        assert_eq!(
            from_page(&page).unwrap(),
            [QueuedMessage {
                body: "{}".to_owned(),
                receive_count: 5
            }]
        );
        assert_eq!(from_page(&json!({"messages": {}})).unwrap(), []);
    }
}
