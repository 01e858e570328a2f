//! What is in a queue, looked at without taking it out.

use anyhow::{Context, Result};
use aws_sdk_sqs::types::QueueAttributeName;
use serde::Deserialize;
use serde_json::Value;

use crate::ministack::MiniStack;

/// How many messages a queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Can be received now.
    pub visible: u64,
    /// Received and neither deleted nor returned.
    pub in_flight: u64,
    /// Not yet receivable.
    pub delayed: u64,
}

impl Backlog {
    /// All messages.
    pub fn total(self) -> u64 {
        self.visible + self.in_flight + self.delayed
    }

    pub(crate) async fn of(sqs: &aws_sdk_sqs::Client, queue_url: &str) -> Result<Self> {
        use QueueAttributeName::{
            ApproximateNumberOfMessages, ApproximateNumberOfMessagesDelayed,
            ApproximateNumberOfMessagesNotVisible,
        };
        let answer = sqs
            .get_queue_attributes()
            .queue_url(queue_url)
            .attribute_names(QueueAttributeName::All)
            .send()
            .await?;
        let attributes = answer.attributes().context("the queue has no attributes")?;
        let count = |name: QueueAttributeName| -> Result<u64> {
            Ok(attributes
                .get(&name)
                .with_context(|| format!("the queue does not tell {name}"))?
                .parse()?)
        };
        Ok(Self {
            visible: count(ApproximateNumberOfMessages)?,
            in_flight: count(ApproximateNumberOfMessagesNotVisible)?,
            delayed: count(ApproximateNumberOfMessagesDelayed)?,
        })
    }
}

/// A message in a queue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct QueuedMessage {
    /// Its text.
    pub body: String,
    /// How often it was received.
    pub receive_count: u32,
}

/// The messages of a queue, wherever they are in their life.
pub(crate) async fn peek(ministack: &MiniStack, queue_url: &str) -> Result<Vec<QueuedMessage>> {
    from_page(
        &ministack
            .page(&format!("/_ministack/sqs/messages?QueueUrl={queue_url}"))
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
        let page = json!({"messages": {"000000000000": {"us-east-1": {"http://127.0.0.1:4566/000000000000/q": [message]}}}});
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
