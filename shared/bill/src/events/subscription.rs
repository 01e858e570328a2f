use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use super::EventType;
use crate::lenient;

/// Who is told of what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Subscription {
    /// BILL's id.
    #[serde(deserialize_with = "lenient::optional")]
    pub id: Option<SubscriptionId>,
    /// What its maker called it.
    #[serde(deserialize_with = "lenient::optional")]
    pub name: Option<String>,
    /// Whether notifications are sent.
    #[serde(deserialize_with = "lenient::optional")]
    pub status: Option<SubscriptionStatus>,
    /// What it asks for.
    #[serde(deserialize_with = "lenient::optional")]
    events: Option<Vec<SubscribedEvent>>,
    /// Where notifications go.
    #[serde(deserialize_with = "lenient::optional")]
    pub notification_url: Option<Url>,
    /// When it was made.
    #[serde(deserialize_with = "lenient::optional")]
    pub created_time: Option<Timestamp>,
    /// When it was changed, for example switched off.
    #[serde(deserialize_with = "lenient::optional")]
    pub updated_time: Option<Timestamp>,
}

impl Subscription {
    /// What it asks for.
    pub fn events(&self) -> impl Iterator<Item = EventType> {
        self.events
            .iter()
            .flatten()
            .map(|event| event.event_type.clone().into())
    }

    /// Whether notifications are sent, as far as the answer says.
    pub fn is_enabled(&self) -> bool {
        self.status.as_ref().and_then(|status| status.enabled) == Some(true)
    }
}

/// Whether notifications are sent, and who decided that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct SubscriptionStatus {
    /// False: nothing is sent.
    #[serde(deserialize_with = "lenient::optional")]
    pub enabled: Option<bool>,
    /// BILL's words on why it switched the subscription off.
    #[serde(deserialize_with = "lenient::optional")]
    pub reason: Option<String>,
    /// `SYSTEM` when BILL switched it off, after failed deliveries; `CLIENT` otherwise.
    #[serde(deserialize_with = "lenient::optional")]
    pub actor: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct SubscribedEvent {
    #[serde(rename = "type")]
    event_type: String,
}

/// BILL's id of a subscription. Fit for a path: letters, digits and hyphens, at most 100.
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
        let fits = (1..=100).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if fits {
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

/// The text is no id of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id of a subscription consists of letters, digits and hyphens")]
pub struct InvalidSubscriptionId;
