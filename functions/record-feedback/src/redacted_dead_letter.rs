//! Dead letters without personal data: the ids that an operator needs to find an event.

use runtime::sqs::Record;
use serde::Serialize;

use crate::event::Event;

/// What the dead-letter queue gets in place of a message. It contains only ids whose form was
/// checked, and texts of this program.
#[derive(Debug, Serialize)]
pub struct RedactedDeadLetter<'a> {
    /// The id that SQS assigned to the message.
    message_id: &'a str,
    /// Why the event was not recorded.
    reason: &'a str,
    /// The metric of the event, if it could be parsed.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'static str>,
    /// The message id that SES assigned.
    #[serde(skip_serializing_if = "Option::is_none")]
    ses_message_id: Option<&'a str>,
    /// The notice id in the tag of the e-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice_id: Option<String>,
}

impl<'a> RedactedDeadLetter<'a> {
    /// The dead letter of a message; `event` is `None` if its body could not be parsed.
    pub fn new(record: &'a Record, event: Option<&'a Event>, reason: &'a str) -> Self {
        Self {
            message_id: &record.message_id,
            reason,
            event: event.map(Event::metric),
            ses_message_id: event.and_then(|event| event.message_id.as_deref()),
            notice_id: event
                .and_then(|event| event.notice.as_ref())
                .map(ToString::to_string),
        }
    }

    /// The body of the message to the dead-letter queue.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
