//! The events queue, as the sender sees it.

use aws_config::SdkConfig;
use aws_sdk_sqs::{Client, error::ProvideErrorMetadata};
use engagement::SyncRequest;
use jiff::Timestamp;
use runtime::{ErrorType, Failure};

/// Sends requests to the events queue.
#[derive(Debug, Clone)]
pub struct EventsQueue {
    client: Client,
    url: String,
}

impl EventsQueue {
    /// A queue at `url`.
    pub fn new(aws: &SdkConfig, url: String) -> Self {
        Self {
            client: Client::new(aws),
            url,
        }
    }

    /// Sends a request that gathers events until `events_until`.
    ///
    /// One message for an organization and such a window: SQS takes a further one and drops it,
    /// however many instances of this function send them. All messages of an organization are one
    /// group, so it is looked at by one at a time. An `Err` means that whether it was sent is not
    /// known: BILL has to deliver the event again.
    pub async fn send(
        &self,
        request: &SyncRequest,
        events_until: Timestamp,
    ) -> Result<(), Failure> {
        let body = serde_json::to_string(request)
            .map_err(|error| Failure::new(ErrorType::Internal, error))?;
        let organization = &request.organization.id;
        let window = format!("{organization}#{}", events_until.as_second());
        let call = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_body(body);
        let sent = call
            .message_group_id(organization.as_str())
            .message_deduplication_id(window)
            .send()
            .await;
        sent.map(drop).map_err(|error| {
            let code = error.code().unwrap_or("no answer");
            Failure::new(
                ErrorType::QueueUnavailable,
                format!("the events queue did not take a message ({code})"),
            )
        })
    }
}
