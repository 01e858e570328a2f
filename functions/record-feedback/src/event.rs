//! Events of SES's event publishing, as EventBridge delivers them.
//!
//! Shape: "Examples of event data" and "Contents of event data" in the [SES developer
//! guide](https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html);
//! EventBridge puts it into `detail` of its own envelope. Read leniently: a field that is absent or
//! of another type costs that field alone.

use engagement::{Bounce, EmailAddress, MailEvent, NoticeId};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;

/// One event, reduced to what is recorded of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened to the mail; `None`: something that changes nothing, such as an opened mail.
    pub kind: Option<MailEvent>,
    /// The notice that the mail was sent for, from its tag.
    pub notice: Option<NoticeId>,
    /// SES's id of the message.
    pub message_id: Option<String>,
    /// SES's id of a bounce or complaint.
    pub feedback_id: Option<String>,
    /// Who bounced or complained. The recipient of a mail with a single one is among them, however
    /// the event spells the address.
    pub addresses: Vec<EmailAddress>,
    /// Recipients whose addresses are none.
    pub invalid_addresses: usize,
    /// The mail had one recipient: what happened to it concerns the address of its notice.
    pub has_one_recipient: bool,
    /// The mail is at fault, and says nothing about the address: too large, or with something in it
    /// that is refused.
    pub is_about_mail: bool,
    /// When it happened.
    pub at: Timestamp,
}

impl Event {
    /// Reads a message's body. The `Err` says what is wrong without quoting it: the body can never
    /// be worked on.
    ///
    /// `received_at` stands in for a time that is missing throughout. Where events come from is the
    /// business of the rule that fills the queue.
    pub fn parse(body: &str, received_at: Timestamp) -> Result<Self, String> {
        let envelope: Envelope = serde_json::from_str(body).map_err(|error| {
            format!(
                "not an event ({:?} at line {}, column {})",
                error.classify(),
                error.line(),
                error.column()
            )
        })?;
        let detail = envelope
            .detail
            .map(RawValue::get)
            .filter(|detail| detail.starts_with('{'));
        let detail: Detail = detail
            .and_then(|detail| serde_json::from_str(detail).ok())
            .ok_or("an event without details")?;
        let event = detail.event(envelope.time.unwrap_or(received_at));
        if event.concerns_addresses() && event.notice.is_none() && event.addresses.is_empty() {
            return Err(
                "a bounce or complaint that names neither a notice nor an address".to_owned(),
            );
        }
        Ok(event)
    }

    /// Whether it says something about addresses, and not about the mail alone.
    pub fn concerns_addresses(&self) -> bool {
        matches!(
            self.kind,
            Some(MailEvent::Bounced(_) | MailEvent::Complained)
        ) && !self.is_about_mail
    }

    /// Its metric: `feedback_` and the kind's name.
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
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default, deserialize_with = "lenient")]
    time: Option<Timestamp>,
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Detail {
    #[serde(deserialize_with = "lenient")]
    event_type: String,
    #[serde(deserialize_with = "lenient")]
    mail: Mail,
    #[serde(deserialize_with = "lenient")]
    bounce: BounceDetail,
    #[serde(deserialize_with = "lenient")]
    complaint: ComplaintDetail,
    #[serde(deserialize_with = "lenient")]
    delivery: Moment,
    #[serde(deserialize_with = "lenient")]
    delivery_delay: Moment,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Mail {
    #[serde(deserialize_with = "lenient")]
    timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "lenient")]
    message_id: Identifier,
    #[serde(deserialize_with = "list")]
    destination: Vec<Address>,
    #[serde(deserialize_with = "lenient")]
    tags: Tags,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Tags {
    #[serde(deserialize_with = "list")]
    notice_id: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct BounceDetail {
    #[serde(deserialize_with = "lenient")]
    bounce_type: String,
    #[serde(deserialize_with = "lenient")]
    bounce_sub_type: String,
    #[serde(deserialize_with = "list")]
    bounced_recipients: Vec<Recipient>,
    #[serde(deserialize_with = "lenient")]
    timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "lenient")]
    feedback_id: Identifier,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ComplaintDetail {
    #[serde(deserialize_with = "lenient")]
    complaint_feedback_type: String,
    #[serde(deserialize_with = "list")]
    complained_recipients: Vec<Recipient>,
    #[serde(deserialize_with = "lenient")]
    timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "lenient")]
    feedback_id: Identifier,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Moment {
    #[serde(deserialize_with = "lenient")]
    timestamp: Option<Timestamp>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Recipient {
    #[serde(deserialize_with = "lenient")]
    email_address: Address,
    #[serde(deserialize_with = "lenient")]
    status: String,
    #[serde(deserialize_with = "lenient")]
    diagnostic_code: String,
}

/// An address, if the text is one, or `Name <address>`.
#[derive(Deserialize, Default)]
#[serde(from = "String")]
struct Address(Option<EmailAddress>);

/// An id of SES's, if the text looks like one: nothing else may reach a table or a dead letter from
/// there.
#[derive(Deserialize, Default)]
#[serde(from = "String")]
struct Identifier(Option<String>);

impl Detail {
    fn event(self, envelope_time: Timestamp) -> Event {
        let kind = self.kind();
        let is_bounce = matches!(kind, Some(MailEvent::Bounced(_)));
        let is_about_mail = is_bounce
            && ["MessageTooLarge", "ContentRejected", "AttachmentRejected"]
                .contains(&&*self.bounce.bounce_sub_type);
        let (recipients, told_at, feedback_id) = match kind {
            Some(MailEvent::Bounced(_)) => (
                self.bounce.bounced_recipients,
                self.bounce.timestamp,
                self.bounce.feedback_id,
            ),
            Some(MailEvent::Complained) => (
                self.complaint.complained_recipients,
                self.complaint.timestamp,
                self.complaint.feedback_id,
            ),
            Some(MailEvent::Delivered) => (Vec::new(), self.delivery.timestamp, Identifier(None)),
            Some(MailEvent::Delayed) => {
                (Vec::new(), self.delivery_delay.timestamp, Identifier(None))
            }
            _ => (Vec::new(), None, Identifier(None)),
        };
        let has_one_recipient = self.mail.destination.len() == 1;
        let all = recipients.len();
        let mut addresses: Vec<EmailAddress> = recipients
            .into_iter()
            .filter_map(|recipient| recipient.email_address.0)
            .collect();
        let invalid_addresses = all - addresses.len();
        if has_one_recipient {
            addresses.extend(
                self.mail
                    .destination
                    .into_iter()
                    .filter_map(|address| address.0),
            );
        }
        let notice: Option<NoticeId> = self
            .mail
            .tags
            .notice_id
            .first()
            .and_then(|word| word.parse().ok());
        Event {
            kind,
            notice: notice.filter(|id| id.notice.address_hash().is_some()),
            message_id: self.mail.message_id.0,
            feedback_id: feedback_id.0,
            addresses,
            invalid_addresses,
            has_one_recipient,
            is_about_mail,
            at: told_at.or(self.mail.timestamp).unwrap_or(envelope_time),
        }
    }

    /// The documentation writes `Rendering Failure`, and everything else without a space.
    fn kind(&self) -> Option<MailEvent> {
        match self.event_type.replace(' ', "").as_str() {
            "Send" => Some(MailEvent::Sent),
            "Delivery" => Some(MailEvent::Delivered),
            "DeliveryDelay" => Some(MailEvent::Delayed),
            "Reject" => Some(MailEvent::Rejected),
            "RenderingFailure" => Some(MailEvent::RenderingFailed),
            "Bounce" if self.bounce.is_automatic_reply() => None,
            "Bounce" => Some(MailEvent::Bounced(match self.bounce.bounce_type.as_str() {
                "Permanent" => Bounce::Hard,
                "Transient" => Bounce::Soft,
                _ => Bounce::Undetermined,
            })),
            // RFC 6430: the recipient took the mail out of the spam folder.
            "Complaint" if self.complaint.complaint_feedback_type == "not-spam" => None,
            "Complaint" => Some(MailEvent::Complained),
            _ => None,
        }
    }
}

impl BounceDetail {
    /// An answer that a mailbox sends by itself, while its owner is away for instance: SES tells of
    /// it as of a bounce for a time, but no mail server says that it refused anything.
    fn is_automatic_reply(&self) -> bool {
        let is_refusal = |recipient: &Recipient| {
            !recipient.status.is_empty() || !recipient.diagnostic_code.is_empty()
        };
        if self.bounced_recipients.iter().any(is_refusal) {
            return false;
        }
        match &*self.bounce_type {
            "Transient" => self.bounce_sub_type == "General",
            "Undetermined" => self.bounced_recipients.is_empty(),
            _ => false,
        }
    }
}

impl From<String> for Address {
    fn from(text: String) -> Self {
        let within_brackets = || {
            text.trim_end()
                .strip_suffix('>')?
                .rsplit_once('<')?
                .1
                .parse()
                .ok()
        };
        Self(text.parse().ok().or_else(within_brackets))
    }
}

impl From<String> for Identifier {
    fn from(text: String) -> Self {
        let is_one = (1..=128).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        Self(is_one.then_some(text))
    }
}

/// What is of another type counts as absent.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).unwrap_or_default())
}

/// Each member leniently; what is no list is an empty one.
fn list<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    let members: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
    Ok(members
        .into_iter()
        .map(|member| serde_json::from_str(member.get()).unwrap_or_default())
        .collect())
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
