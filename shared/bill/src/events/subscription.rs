//! A webhook subscription as BILL returns it, and its id.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use super::notification::EventType;
use crate::lenient;

const MAX_ID_LENGTH: usize = 100;

/// A webhook subscription: which events BILL sends to which URL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Subscription {
    /// BILL's id.
    #[serde(deserialize_with = "lenient::optional")]
    pub id: Option<SubscriptionId>,
    /// The name that it was created with.
    #[serde(deserialize_with = "lenient::optional")]
    pub name: Option<String>,
    /// Whether notifications are sent.
    #[serde(deserialize_with = "lenient::optional")]
    pub status: Option<SubscriptionStatus>,
    #[serde(deserialize_with = "lenient::optional")]
    events: Option<Vec<SubscribedEvent>>,
    /// The URL that receives the notifications.
    #[serde(deserialize_with = "lenient::optional")]
    pub notification_url: Option<Url>,
    /// When it was created.
    #[serde(deserialize_with = "lenient::optional")]
    pub created_time: Option<Timestamp>,
    /// When it was last changed, for example disabled.
    #[serde(deserialize_with = "lenient::optional")]
    pub updated_time: Option<Timestamp>,
}

impl Subscription {
    /// The events that it subscribes to.
    pub fn events(&self) -> impl Iterator<Item = EventType> {
        self.events
            .iter()
            .flatten()
            .map(|event| event.event_type.clone().into())
    }

    /// Whether notifications are sent; `false` when BILL's response does not say so.
    pub fn is_enabled(&self) -> bool {
        self.status.as_ref().and_then(|status| status.enabled) == Some(true)
    }
}

/// Whether notifications are sent, and who enabled or disabled the subscription.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct SubscriptionStatus {
    /// False when no notifications are sent.
    #[serde(deserialize_with = "lenient::optional")]
    pub enabled: Option<bool>,
    /// BILL's explanation why it disabled the subscription.
    #[serde(deserialize_with = "lenient::optional")]
    pub reason: Option<String>,
    /// `SYSTEM` when BILL disabled it after failed deliveries, otherwise `CLIENT`.
    #[serde(deserialize_with = "lenient::optional")]
    pub actor: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct SubscribedEvent {
    #[serde(rename = "type")]
    event_type: String,
}

/// BILL's id of a subscription. Safe as part of a URL path: at most 100 letters, digits and
/// hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SubscriptionId(String);

impl SubscriptionId {
    /// The id as BILL writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SubscriptionId {
    type Err = InvalidSubscriptionId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_valid = (1..=MAX_ID_LENGTH).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');

        if is_valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSubscriptionId)
        }
    }
}

impl TryFrom<String> for SubscriptionId {
    type Error = InvalidSubscriptionId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<SubscriptionId> for String {
    fn from(id: SubscriptionId) -> Self {
        id.0
    }
}

impl fmt::Display for SubscriptionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The text is not the id of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id of a subscription consists of letters, digits and hyphens")]
pub struct InvalidSubscriptionId;
