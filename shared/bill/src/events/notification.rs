//! Parses the body of a webhook.

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;
use strum::{Display, EnumString};

use crate::lenient;

/// Levels of nesting that are parsed. The deepest known form has three: an envelope whose payload
/// is a JSON string that contains the notification.
const MAX_NESTING_DEPTH: u8 = 3;
/// BILL's ids have 20 or 21 characters, or 36 as a UUID.
const MAX_ID_LENGTH: usize = 100;

/// The part of a webhook that is used: which kind of event happened to which organization. The
/// current state is read from the API instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Unique per event. A notification that BILL delivers again has the same id.
    pub event_id: String,
    /// The organization that the event is about.
    pub organization_id: String,
    /// Kind of the event.
    pub event_type: EventType,
    /// The subscription that caused the notification.
    pub subscription_id: Option<String>,
}

impl Notification {
    /// Parses a body whose signature was verified. Three forms are known: the notification itself,
    /// a JSON string that contains it, and an envelope (`EventDto`) whose `payload` is such a
    /// string.
    ///
    /// `Err` is permanent: the same body can never be parsed. The error contains no part of the
    /// body.
    pub fn parse(body: &[u8]) -> Result<Self, NotificationError> {
        let text = std::str::from_utf8(body).map_err(|_| NotificationError::NotJson)?;
        parse_nested(text, MAX_NESTING_DEPTH)
    }
}

/// Kind of an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Display, EnumString)]
pub enum EventType {
    /// A bank account was added.
    #[strum(serialize = "bank-account.created")]
    BankAccountCreated,
    /// The status of a bank account changed, or whether it is archived or the default.
    #[strum(serialize = "bank-account.updated")]
    BankAccountUpdated,
    /// A payment was made, or its status changed.
    #[strum(serialize = "payment.updated")]
    PaymentUpdated,
    /// A request to make a payment failed. The payment does not exist.
    #[strum(serialize = "payment.failed")]
    PaymentFailed,
    /// The decision of the organization's risk verification changed.
    #[strum(serialize = "risk-verification.updated")]
    RiskVerificationUpdated,
    /// An event that [`Self::SUBSCRIBED`] does not contain.
    #[strum(default, to_string = "{0}")]
    Other(String),
}

impl EventType {
    /// The events that a subscription should contain: those that can change the stage of an
    /// organization.
    pub const SUBSCRIBED: [Self; 5] = [
        Self::BankAccountCreated,
        Self::BankAccountUpdated,
        Self::PaymentUpdated,
        Self::PaymentFailed,
        Self::RiskVerificationUpdated,
    ];
}

impl From<String> for EventType {
    fn from(text: String) -> Self {
        text.parse().unwrap_or(Self::Other(text))
    }
}

/// Why a body is not a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotificationError {
    /// The body, or a string inside it, is not JSON.
    #[error("the notification is not JSON")]
    NotJson,
    /// The body is JSON, but none of the known forms.
    #[error("the notification has no metadata")]
    NoMetadata,
    /// A field of the metadata is missing or cannot be an id.
    #[error("the notification's {0} is missing or invalid")]
    InvalidField(&'static str),
}

fn parse_nested(text: &str, depth: u8) -> Result<Notification, NotificationError> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        metadata: Option<&'a RawValue>,
        #[serde(borrow)]
        payload: Option<&'a RawValue>,
    }

    let raw: &RawValue = serde_json::from_str(text).map_err(|_| NotificationError::NotJson)?;
    let remaining_depth = depth.checked_sub(1).ok_or(NotificationError::NoMetadata)?;

    match raw.get().as_bytes().first() {
        Some(b'"') => {
            let inner: String =
                serde_json::from_str(raw.get()).map_err(|_| NotificationError::NotJson)?;
            parse_nested(&inner, remaining_depth)
        }
        Some(b'{') => {
            let envelope: Envelope<'_> =
                serde_json::from_str(raw.get()).map_err(|_| NotificationError::NoMetadata)?;
            match (envelope.metadata, envelope.payload) {
                (Some(metadata), _) => parse_metadata(metadata),
                (None, Some(payload)) => parse_nested(payload.get(), remaining_depth),
                (None, None) => Err(NotificationError::NoMetadata),
            }
        }
        _ => Err(NotificationError::NoMetadata),
    }
}

fn parse_metadata(raw: &RawValue) -> Result<Notification, NotificationError> {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Metadata {
        #[serde(deserialize_with = "lenient::optional")]
        event_id: Option<PrintableId>,
        #[serde(deserialize_with = "lenient::optional")]
        organization_id: Option<PrintableId>,
        #[serde(deserialize_with = "lenient::optional")]
        event_type: Option<PrintableId>,
        #[serde(deserialize_with = "lenient::optional")]
        subscription_id: Option<PrintableId>,
    }

    let metadata: Metadata = lenient::parse_object(raw).ok_or(NotificationError::NoMetadata)?;
    let text = |field: Option<PrintableId>, name| {
        field
            .map(|PrintableId(text)| text)
            .ok_or(NotificationError::InvalidField(name))
    };

    Ok(Notification {
        event_id: text(metadata.event_id, "eventId")?,
        organization_id: text(metadata.organization_id, "organizationId")?,
        event_type: text(metadata.event_type, "eventType")?.into(),
        subscription_id: metadata.subscription_id.map(|PrintableId(text)| text),
    })
}

/// A text that is safe as a key, in a log line and in a header: printable ASCII without spaces, at
/// most [`MAX_ID_LENGTH`] characters.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct PrintableId(String);

impl TryFrom<String> for PrintableId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        let is_valid = (1..=MAX_ID_LENGTH).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_valid {
            Ok(Self(text))
        } else {
            Err(InvalidId)
        }
    }
}

struct InvalidId;

impl fmt::Display for InvalidId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("not an id")
    }
}

#[cfg(test)]
mod tests;
