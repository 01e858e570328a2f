//! Events of SES event publishing, as EventBridge delivers them.
//!
//! Their shape is documented in "Examples of event data" and "Contents of event data" of the [SES
//! developer
//! guide](https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html).
//! EventBridge puts them into `detail` of its own envelope.

mod kind;
mod ses;

use engagement::{Bounce, EmailAddress, MailEvent, NoticeId};
use jiff::Timestamp;
use serde_json::value::RawValue;

use self::ses::{Address, Detail, Envelope, Identifier, Mail};

/// The part of an SES event that is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened to the e-mail; `None`: something that changes nothing, such as an open.
    pub kind: Option<MailEvent>,
    /// The notice that the e-mail was sent for, from the tag of the e-mail.
    pub notice: Option<NoticeId>,
    /// The message id that SES assigned.
    pub message_id: Option<String>,
    /// The id that SES assigned to a bounce or complaint.
    pub feedback_id: Option<String>,
    /// The addresses that bounced or complained. They include the recipient of an e-mail with a
    /// single recipient, even when the event spells that address differently.
    pub addresses: Vec<EmailAddress>,
    /// Number of recipients in the event whose addresses are invalid.
    pub invalid_addresses: usize,
    /// The e-mail had a single recipient, so the event concerns the address of its notice.
    pub has_one_recipient: bool,
    /// The message caused the bounce, not the address: it is too large, or its content was
    /// rejected.
    pub is_content_bounce: bool,
    /// When it happened.
    pub at: Timestamp,
}

impl Event {
    /// Parses the body of a message. `received_at` is the time of an event that contains none. The
    /// source of the event is not checked: the rule that fills the queue does that.
    ///
    /// An `Err` says what is wrong, without quoting the body. The message can never be processed.
    pub fn parse(body: &str, received_at: Timestamp) -> Result<Self, String> {
        let envelope: Envelope = serde_json::from_str(body).map_err(|error| {
            format!(
                "not an event ({:?} at line {}, column {})",
                error.classify(),
                error.line(),
                error.column()
            )
        })?;
        let detail: Detail = envelope
            .detail
            .map(RawValue::get)
            .filter(|detail| detail.starts_with('{'))
            .and_then(|detail| serde_json::from_str(detail).ok())
            .ok_or("the event has no object `detail`")?;

        let event = Self::from_detail(detail, envelope.time.unwrap_or(received_at));
        if event.concerns_addresses() && event.notice.is_none() && event.addresses.is_empty() {
            return Err("the bounce or complaint contains no notice id and no address".to_owned());
        }
        Ok(event)
    }

    /// Whether the event is recorded on contacts, and not only on the notice.
    pub fn concerns_addresses(&self) -> bool {
        matches!(
            self.kind,
            Some(MailEvent::Bounced(_) | MailEvent::Complained)
        ) && !self.is_content_bounce
    }

    /// The metric that counts the event: `feedback_` and the name of its kind.
    pub fn metric(&self) -> &'static str {
        match self.kind {
            Some(MailEvent::Sent) => "feedback_send",
            Some(MailEvent::Delayed) => "feedback_delay",
            Some(MailEvent::Delivered) => "feedback_delivery",
            Some(MailEvent::RenderingFailed) => "feedback_rendering_failure",
            Some(MailEvent::Rejected) => "feedback_reject",
            Some(MailEvent::Bounced(Bounce::Hard)) => "feedback_bounce_permanent",
            Some(MailEvent::Bounced(Bounce::Soft)) => "feedback_bounce_transient",
            Some(MailEvent::Bounced(Bounce::Undetermined)) => "feedback_bounce_undetermined",
            Some(MailEvent::Complained) => "feedback_complaint",
            None => "feedback_other",
        }
    }

    fn from_detail(detail: Detail, envelope_time: Timestamp) -> Self {
        let kind = kind::kind(&detail);
        let is_content_bounce =
            matches!(kind, Some(MailEvent::Bounced(_))) && kind::is_content_bounce(&detail.bounce);

        let Detail {
            mail,
            bounce,
            complaint,
            delivery,
            delivery_delay,
            ..
        } = detail;
        let (recipients, occurred_at, feedback_id) = match kind {
            Some(MailEvent::Bounced(_)) => (
                bounce.bounced_recipients,
                bounce.timestamp,
                bounce.feedback_id,
            ),
            Some(MailEvent::Complained) => (
                complaint.complained_recipients,
                complaint.timestamp,
                complaint.feedback_id,
            ),
            Some(MailEvent::Delivered) => (Vec::new(), delivery.timestamp, Identifier(None)),
            Some(MailEvent::Delayed) => (Vec::new(), delivery_delay.timestamp, Identifier(None)),
            _ => (Vec::new(), None, Identifier(None)),
        };

        let has_one_recipient = mail.destination.len() == 1;
        let at = occurred_at.or(mail.timestamp).unwrap_or(envelope_time);
        let notice = notice_id(&mail);
        let all_recipients = recipients.len();
        let mut addresses = valid_addresses(
            recipients
                .into_iter()
                .map(|recipient| recipient.email_address),
        );
        let invalid_addresses = all_recipients - addresses.len();
        if has_one_recipient {
            addresses.extend(valid_addresses(mail.destination));
        }

        Self {
            kind,
            notice,
            message_id: mail.message_id.0,
            feedback_id: feedback_id.0,
            addresses,
            invalid_addresses,
            has_one_recipient,
            is_content_bounce,
            at,
        }
    }
}

fn valid_addresses(addresses: impl IntoIterator<Item = Address>) -> Vec<EmailAddress> {
    let addresses = addresses.into_iter();
    addresses.filter_map(|address| address.0).collect()
}

/// The notice id in the tag of the e-mail, if it is valid and contains the hash of an address.
fn notice_id(mail: &Mail) -> Option<NoticeId> {
    let tag = mail.tags.notice_id.first()?;
    let id: NoticeId = tag.parse().ok()?;
    id.notice.address_hash().is_some().then_some(id)
}

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;
