//! The recipient of a stored notice, whose address may be missing or invalid.

use serde::{Deserialize, Serialize};

use super::planned::Recipient;
use crate::{
    identity::UserId,
    personal::{EmailAddress, Name},
};

/// The recipient as the item of a notice stores it. Differs from [`Recipient`] in that the address
/// may be missing (an operator erased it) or invalid (a later release validates more strictly).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRecipient {
    /// BILL's id of the user.
    pub user_id: UserId,
    /// The user's first name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<Name>,
    /// The user's e-mail address.
    #[serde(default)]
    pub address: StoredAddress,
}

/// The address of a stored notice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Option<String>", into = "Option<String>")]
pub enum StoredAddress {
    /// An e-mail can be sent to this address.
    Valid(EmailAddress),
    /// The stored text is not an e-mail address.
    Invalid,
    /// The item has no address, or a blank one.
    #[default]
    Missing,
}

impl From<Recipient> for StoredRecipient {
    fn from(recipient: Recipient) -> Self {
        Self {
            user_id: recipient.user_id,
            first_name: recipient.first_name,
            address: StoredAddress::Valid(recipient.address),
        }
    }
}

impl From<Option<String>> for StoredAddress {
    fn from(text: Option<String>) -> Self {
        match text.filter(|text| !text.trim().is_empty()) {
            Some(text) => text.parse().map_or(Self::Invalid, Self::Valid),
            None => Self::Missing,
        }
    }
}

impl From<StoredAddress> for Option<String> {
    fn from(address: StoredAddress) -> Self {
        match address {
            StoredAddress::Valid(address) => Some(address.into()),
            StoredAddress::Invalid | StoredAddress::Missing => None,
        }
    }
}
