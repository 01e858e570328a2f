use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;
use strum::{Display, EnumString};

/// A text that holds an envelope that holds a text: no form that has been seen goes deeper.
const MAX_NESTING_DEPTH: u8 = 3;
/// BILL's ids are UUIDs or 20 to 21 characters; whatever is longer is none.
const MAX_ID_LENGTH: usize = 100;

/// What is believed of a webhook: that something of this kind happened to this organization. What
/// exactly, is read from the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Unique; a notification that arrives again has the same.
    pub event_id: String,
    /// Whose bank account, payment or verification it is about.
    pub organization_id: String,
    /// What happened.
    pub event_type: EventType,
    /// The subscription that caused the notification.
    pub subscription_id: Option<String>,
}

impl Notification {
    /// Reads a body whose signature was verified. Three forms are known: the notification itself, a
    /// JSON text that holds it, and an envelope (`EventDto`) whose `payload` is such a text.
    ///
    /// `Err`: the body will never be readable, repeating is of no use. The error quotes nothing of
    /// it.
    pub fn parse(body: &[u8]) -> Result<Self, NotificationError> {
        let text = std::str::from_utf8(body).map_err(|_| NotificationError::NotJson)?;
        read(text, MAX_NESTING_DEPTH)
    }
}

/// What happened. The five that a subscription of ours asks for, and whatever else BILL may send.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Display, EnumString)]
pub enum EventType {
    /// A bank account was added.
    #[strum(serialize = "bank-account.created")]
    BankAccountCreated,
    /// Its status, its archiving or its being the default changed.
    #[strum(serialize = "bank-account.updated")]
    BankAccountUpdated,
    /// A payment was made, or its status changed.
    #[strum(serialize = "payment.updated")]
    PaymentUpdated,
    /// A request to make a payment failed; there is no such payment.
    #[strum(serialize = "payment.failed")]
    PaymentFailed,
    /// The decision about the organization changed.
    #[strum(serialize = "risk-verification.updated")]
    RiskVerificationUpdated,
    /// Something that this client does not ask for.
    #[strum(default, to_string = "{0}")]
    Other(String),
}

impl EventType {
    /// The events that may move an organization from one stage to another: what a subscription
    /// should ask for.
    pub const WANTED: [Self; 5] = [
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

/// Why a body is no notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotificationError {
    /// Neither the body nor a text within it is JSON.
    #[error("the notification is not JSON")]
    NotJson,
    /// JSON, but no form that a notification is known to take.
    #[error("the notification has no metadata")]
    NoMetadata,
    /// The metadata lack a field, or hold something that cannot be what the field says.
    #[error("the notification's {0} is missing or unusable")]
    Unusable(&'static str),
}

fn read(text: &str, depth: u8) -> Result<Notification, NotificationError> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        metadata: Option<&'a RawValue>,
        #[serde(borrow)]
        payload: Option<&'a RawValue>,
    }

    let raw: &RawValue = serde_json::from_str(text).map_err(|_| NotificationError::NotJson)?;
    let deeper = depth.checked_sub(1).ok_or(NotificationError::NoMetadata)?;
    match raw.get().as_bytes().first() {
        Some(b'"') => {
            let inner: String =
                serde_json::from_str(raw.get()).map_err(|_| NotificationError::NotJson)?;
            read(&inner, deeper)
        }
        Some(b'{') => {
            let envelope: Envelope<'_> =
                serde_json::from_str(raw.get()).map_err(|_| NotificationError::NoMetadata)?;
            match (envelope.metadata, envelope.payload) {
                (Some(metadata), _) => parse_metadata(metadata),
                (None, Some(payload)) => read(payload.get(), deeper),
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
        #[serde(deserialize_with = "crate::lenient::optional")]
        event_id: Option<Id>,
        #[serde(deserialize_with = "crate::lenient::optional")]
        organization_id: Option<Id>,
        #[serde(deserialize_with = "crate::lenient::optional")]
        event_type: Option<Id>,
        #[serde(deserialize_with = "crate::lenient::optional")]
        subscription_id: Option<Id>,
    }

    let metadata: Metadata = crate::lenient::object(raw).ok_or(NotificationError::NoMetadata)?;
    let text = |field: Option<Id>, name| {
        field
            .map(|Id(text)| text)
            .ok_or(NotificationError::Unusable(name))
    };
    Ok(Notification {
        event_id: text(metadata.event_id, "eventId")?,
        organization_id: text(metadata.organization_id, "organizationId")?,
        event_type: text(metadata.event_type, "eventType")?.into(),
        subscription_id: metadata.subscription_id.map(|Id(text)| text),
    })
}

/// A text that may go into a key, a log line and a header as it is: printable ASCII without spaces,
/// of an id's length.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Id(String);

impl TryFrom<String> for Id {
    type Error = Unfit;

    fn try_from(text: String) -> Result<Self, Unfit> {
        let fits = (1..=MAX_ID_LENGTH).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(text)) } else { Err(Unfit) }
    }
}

struct Unfit;

impl fmt::Display for Unfit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("not an id")
    }
}

#[cfg(test)]
#[path = "notification_tests.rs"]
mod tests;
