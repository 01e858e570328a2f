//! The JSON of an SES event in its EventBridge envelope, as far as it is used.
//!
//! Parsing is lenient: a field that is missing or of another type has its default value and does
//! not affect the other fields.

use engagement::EmailAddress;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;

/// The envelope of EventBridge.
#[derive(Deserialize)]
pub struct Envelope<'a> {
    #[serde(default, deserialize_with = "deserialize_or_default")]
    pub time: Option<Timestamp>,
    #[serde(borrow)]
    pub detail: Option<&'a RawValue>,
}

/// The SES event. Only the object that belongs to `event_type` is present.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct Detail {
    #[serde(deserialize_with = "deserialize_or_default")]
    pub event_type: String,
    #[serde(deserialize_with = "deserialize_or_default")]
    pub mail: Mail,
    #[serde(deserialize_with = "deserialize_or_default")]
    pub bounce: BounceDetail,
    #[serde(deserialize_with = "deserialize_or_default")]
    pub complaint: ComplaintDetail,
    #[serde(deserialize_with = "deserialize_or_default")]
    pub delivery: Timestamped,
    #[serde(deserialize_with = "deserialize_or_default")]
    pub delivery_delay: Timestamped,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct Mail {
    #[serde(deserialize_with = "deserialize_or_default")]
    pub timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "deserialize_or_default")]
    pub message_id: Identifier,
    #[serde(deserialize_with = "deserialize_list_or_default")]
    pub destination: Vec<Address>,
    #[serde(deserialize_with = "deserialize_or_default")]
    pub tags: Tags,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Tags {
    #[serde(deserialize_with = "deserialize_list_or_default")]
    pub notice_id: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct BounceDetail {
    #[serde(deserialize_with = "deserialize_or_default")]
    pub bounce_type: String,
    #[serde(deserialize_with = "deserialize_or_default")]
    pub bounce_sub_type: String,
    #[serde(deserialize_with = "deserialize_list_or_default")]
    pub bounced_recipients: Vec<Recipient>,
    #[serde(deserialize_with = "deserialize_or_default")]
    pub timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "deserialize_or_default")]
    pub feedback_id: Identifier,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct ComplaintDetail {
    #[serde(deserialize_with = "deserialize_or_default")]
    pub complaint_feedback_type: String,
    #[serde(deserialize_with = "deserialize_list_or_default")]
    pub complained_recipients: Vec<Recipient>,
    #[serde(deserialize_with = "deserialize_or_default")]
    pub timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "deserialize_or_default")]
    pub feedback_id: Identifier,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Timestamped {
    #[serde(deserialize_with = "deserialize_or_default")]
    pub timestamp: Option<Timestamp>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct Recipient {
    #[serde(deserialize_with = "deserialize_or_default")]
    pub email_address: Address,
    #[serde(deserialize_with = "deserialize_or_default")]
    pub status: String,
    #[serde(deserialize_with = "deserialize_or_default")]
    pub diagnostic_code: String,
}

/// An address, alone or as `Name <address>` (RFC 5322, `name-addr`); `None`: the text is neither.
#[derive(Deserialize, Default)]
#[serde(from = "String")]
pub struct Address(pub Option<EmailAddress>);

/// An id that SES has assigned; `None`: the text does not have the form of one. The check keeps
/// other content of the event out of tables and dead letters.
#[derive(Deserialize, Default)]
#[serde(from = "String")]
pub struct Identifier(pub Option<String>);

impl From<String> for Address {
    fn from(text: String) -> Self {
        let in_angle_brackets = || {
            text.trim_end()
                .strip_suffix('>')?
                .rsplit_once('<')?
                .1
                .parse()
                .ok()
        };
        Self(text.parse().ok().or_else(in_angle_brackets))
    }
}

impl From<String> for Identifier {
    fn from(text: String) -> Self {
        let is_valid = (1..=128).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        Self(is_valid.then_some(text))
    }
}

/// The default for a value of another type.
fn deserialize_or_default<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).unwrap_or_default())
}

/// The default for each element of another type, and an empty list for a value that is not a list.
fn deserialize_list_or_default<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    let elements: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
    Ok(elements
        .into_iter()
        .map(|element| serde_json::from_str(element.get()).unwrap_or_default())
        .collect())
}
