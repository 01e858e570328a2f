//! The sort key of a notice, and the id that combines both of its keys.

use std::{fmt, str::FromStr};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{address_hash::AddressHash, campaign::StepId, identity::OrganizationId};

/// The sort key of a notice, `{since}#{step}#{address hash}`. The same occurrence of the same step
/// to the same address is one notice, no matter how often it is planned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NoticeKey(String);

impl NoticeKey {
    /// The key of the occurrence of `step` that started at `since`.
    pub fn new(since: Timestamp, step: &StepId, address: &AddressHash) -> Self {
        Self(format!("{since}#{step}#{address}"))
    }

    /// The key as stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The pseudonym of the recipient's address: the last part of the key. `None` if the key does
    /// not end in a pseudonym, since a [`NoticeId`] from outside may contain any text.
    pub fn address_hash(&self) -> Option<AddressHash> {
        let (_, digits) = self.0.rsplit_once('#')?;
        AddressHash::from_bytes(&hex::decode(digits).ok()?)
    }
}

impl fmt::Display for NoticeKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Both keys of a notice. Its text form is one word that SES accepts as a tag value (`A-Z a-z 0-9 _
/// -`, at most 256 characters): `{organization id}/{notice key}` in base64url.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeId {
    /// The organization: partition key.
    pub organization_id: OrganizationId,
    /// The sort key.
    pub notice: NoticeKey,
}

/// The text is not a [`NoticeId`]. A retry does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a notice")]
pub struct InvalidNoticeId;

impl fmt::Display for NoticeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .write_str(&URL_SAFE_NO_PAD.encode(format!("{}/{}", self.organization_id, self.notice)))
    }
}

impl FromStr for NoticeId {
    type Err = InvalidNoticeId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidNoticeId)?;
        let keys = String::from_utf8(bytes).map_err(|_| InvalidNoticeId)?;
        let (organization_id, notice) = keys.split_once('/').ok_or(InvalidNoticeId)?;
        Ok(Self {
            organization_id: organization_id.parse().map_err(|_| InvalidNoticeId)?,
            notice: NoticeKey(notice.to_owned()),
        })
    }
}
