//! Moves a message that can never be processed to the dead-letter queue on its first receive,
//! together with the reason. SQS alone would deliver it until `maxReceiveCount` and record no
//! reason.

use aws_config::SdkConfig;
use aws_sdk_sqs::{Client, error::ProvideErrorMetadata, types::MessageAttributeValue};
use errors::ErrorType;

use crate::sqs::{HandlerOutcome, Record};

/// A dead-letter queue that a function sends to.
#[derive(Debug, Clone)]
pub struct DeadLetterQueue {
    client: Client,
    url: String,
}

impl DeadLetterQueue {
    /// The queue with this URL.
    pub fn new(aws: &SdkConfig, url: String) -> Self {
        Self {
            client: Client::new(aws),
            url,
        }
    }

    /// Moves a message, unchanged, to the dead-letter queue.
    ///
    /// The message is sent first and completed afterwards. If the process stops in between, both
    /// queues hold it. If it cannot be sent, it is returned, and the redrive policy of its queue
    /// moves it after `maxReceiveCount` receives.
    pub async fn park(&self, record: &Record, reason: String) -> HandlerOutcome {
        match self.send(record, &record.body, &reason).await {
            Ok(()) => HandlerOutcome::Done,
            Err(NotSent) => HandlerOutcome::park(reason),
        }
    }

    /// Sends `body` in place of the message's own body, for messages that contain personal data and
    /// whose queue has no redrive policy. If `body` cannot be sent, the message is returned for
    /// another attempt.
    pub async fn send_redacted(&self, record: &Record, body: &str, reason: &str) -> HandlerOutcome {
        match self.send(record, body, reason).await {
            Ok(()) => HandlerOutcome::Done,
            Err(NotSent) => HandlerOutcome::Retry,
        }
    }

    async fn send(&self, record: &Record, body: &str, reason: &str) -> Result<(), NotSent> {
        let call = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .message_attributes("reason", text_attribute(reason)?)
            .message_attributes("message_id", text_attribute(&record.message_id)?);

        match call.send().await {
            Ok(_) => {
                tracing::error!(
                    error_type = ErrorType::EventInvalid.name(),
                    reason,
                    "the message was moved to the dead-letter queue"
                );
                Ok(())
            }
            Err(error) => {
                tracing::error!(
                    error_type = ErrorType::QueueUnavailable.name(),
                    code = error.code().unwrap_or("no response"),
                    "the message could not be moved to the dead-letter queue"
                );
                Err(NotSent)
            }
        }
    }
}

/// The message was not sent. The reason is in the log.
struct NotSent;

fn text_attribute(text: &str) -> Result<MessageAttributeValue, NotSent> {
    MessageAttributeValue::builder()
        .data_type("String")
        .string_value(text)
        .build()
        .map_err(|_| NotSent)
}
