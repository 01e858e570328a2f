//! Dead letters of feedback: what an operator needs to find an event again, and nothing of its
//! recipients.

use runtime::sqs::Record;
use serde::Serialize;

use crate::event::Event;

/// What stands in the dead-letter queue in place of a message. It is made of ids whose form was
/// checked and of our own words.
#[derive(Debug, Serialize)]
pub struct Letter<'a> {
    /// SQS's id of the message.
    message_id: &'a str,
    /// Why it was set aside.
    reason: &'a str,
    /// What kind of event it was, where that could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'static str>,
    /// SES's id of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    ses_message_id: Option<&'a str>,
    /// The notice, as its tag names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice_id: Option<String>,
}

impl<'a> Letter<'a> {
    /// The letter for a message, whose event is known or cannot be read.
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

    /// Its text.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
