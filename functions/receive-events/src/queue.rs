//! The sending side of the events queue, an SQS FIFO queue.

use aws_config::SdkConfig;
use aws_sdk_sqs::{Client, error::ProvideErrorMetadata};
use engagement::SyncRequest;
use jiff::Timestamp;
use runtime::{ErrorType, Failure};

/// Sends sync requests to the events queue.
#[derive(Debug, Clone)]
pub struct EventsQueue {
    client: Client,
    url: String,
}

impl EventsQueue {
    /// The queue at `url`.
    pub fn new(aws: &SdkConfig, url: String) -> Self {
        Self {
            client: Client::new(aws),
            url,
        }
    }

    /// Sends a request that covers all events until `events_until`.
    ///
    /// The deduplication id is the organization and `events_until`. SQS accepts the first message
    /// with this id and drops the others, also when several instances of this function send them.
    /// The message group is the organization, so that SQS delivers the messages of one organization
    /// one at a time.
    ///
    /// An `Err` means that the message may not have been sent: BILL has to deliver the event again.
    pub(crate) async fn send(
        &self,
        request: &SyncRequest,
        events_until: Timestamp,
    ) -> Result<(), Failure> {
        let organization = &request.organization.id;
        let deduplication_id = format!("{organization}#{}", events_until.as_second());
        let body = serde_json::to_string(request)
            .map_err(|error| Failure::new(ErrorType::Internal, error))?;

        let sent = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .message_group_id(organization.as_str())
            .message_deduplication_id(deduplication_id)
            .send()
            .await;

        sent.map(drop).map_err(|error| {
            let code = error.code().unwrap_or("no response");
            Failure::new(
                ErrorType::QueueUnavailable,
                format!("the events queue did not accept a message ({code})"),
            )
        })
    }
}
