//! Messages that can never be worked on: set aside at once, with the reason beside them, instead of
//! a few receipts later.

use aws_sdk_sqs::{Client, error::ProvideErrorMetadata, types::MessageAttributeValue};

use crate::{
    errors::ErrorType,
    sqs::{Outcome, Record},
};

/// A dead-letter queue that a function itself writes to.
#[derive(Debug, Clone)]
pub struct DeadLetterQueue {
    client: Client,
    url: String,
}

impl DeadLetterQueue {
    /// A queue at `url`.
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Moves a message, as it is, to the dead letters.
    ///
    /// It is sent there first and completed here after. Dying in between leaves it in both, which
    /// costs an operator a second look. When it cannot be sent there it is returned, and a queue
    /// with a redrive policy moves it after some receipts.
    pub async fn park(&self, record: &Record, reason: String) -> Outcome {
        match self.send(record, &record.body, &reason).await {
            Ok(()) => Outcome::Done,
            Err(NotSent) => Outcome::park(reason),
        }
    }

    /// Sends a letter in place of a message, which is returned when that fails: for messages whose
    /// bodies must not be kept, from queues without a redrive policy.
    pub async fn replace(&self, record: &Record, letter: &str, reason: &str) -> Outcome {
        match self.send(record, letter, reason).await {
            Ok(()) => Outcome::Done,
            Err(NotSent) => Outcome::Retry,
        }
    }

    async fn send(&self, record: &Record, letter: &str, reason: &str) -> Result<(), NotSent> {
        let attribute = |text: &str| {
            MessageAttributeValue::builder()
                .data_type("String")
                .string_value(text)
                .build()
                .map_err(|_| NotSent)
        };
        let call = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_body(letter);
        let call = call
            .message_attributes("reason", attribute(reason)?)
            .message_attributes("message_id", attribute(&record.message_id)?);
        match call.send().await {
            Ok(_) => {
                tracing::error!(
                    error_type = ErrorType::EventInvalid.name(),
                    reason,
                    "the message was moved to the dead letters"
                );
                Ok(())
            }
            Err(error) => {
                let (error_type, code) = (
                    ErrorType::QueueUnavailable.name(),
                    error.code().unwrap_or("no answer"),
                );
                tracing::error!(
                    error_type,
                    code,
                    "the message could not be moved to the dead letters"
                );
                Err(NotSent)
            }
        }
    }
}

/// The letter was not sent; it was logged why.
struct NotSent;
