//! Notices: one message of one campaign step to one recipient, from plan to outcome.

use std::{fmt, str::FromStr};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    campaign::{CampaignId, Category, StepId},
    identity::{OrganizationId, UserId},
    personal::{AddressHash, AddressHashKey, EmailAddress, Name},
    stage::{Stage, StageReason},
};

/// Number of buckets that due notices are spread over, by a stable hash of the organization id.
pub const DUE_BUCKETS: u8 = 8;

/// The bucket of an organization's due notices: `0..DUE_BUCKETS`, the same on every machine and in
/// every release.
pub fn due_bucket(organization: &OrganizationId) -> u8 {
    Sha256::digest(organization.as_str().as_bytes())[0] % DUE_BUCKETS
}

/// A message that a check decided to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedNotice {
    /// The organization it is about.
    pub organization_id: OrganizationId,
    /// Its name.
    pub organization_name: Option<Name>,
    /// The campaign.
    pub campaign: CampaignId,
    /// The step.
    pub step: StepId,
    /// What the recipient can unsubscribe from.
    pub category: Category,
    /// Which notices go first: higher first.
    pub priority: u8,
    /// The stage that the message speaks of.
    pub stage: Stage,
    /// Why the organization is in it.
    pub stage_reason: StageReason,
    /// Beginning of the stage: with `stage`, the episode.
    pub stage_since: Timestamp,
    /// Beginning of this occurrence of the step: `stage_since`, or the moment from which a repeated
    /// step was allowed again.
    pub since: Timestamp,
    /// Who gets it.
    pub recipient: Recipient,
    /// When it was planned.
    pub planned_at: Timestamp,
    /// When it may go out at the earliest.
    pub due_at: Timestamp,
}

/// Who gets a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The user.
    pub user_id: UserId,
    /// The user's first name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<Name>,
    /// Where to.
    pub address: EmailAddress,
}

/// Who a notice is for, as its item says. Somebody may have erased the address since, or a release
/// may have become stricter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRecipient {
    /// The user.
    pub user_id: UserId,
    /// The user's first name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<Name>,
    /// Where to.
    #[serde(default)]
    pub address: Address,
}

impl From<Recipient> for StoredRecipient {
    fn from(recipient: Recipient) -> Self {
        Self {
            user_id: recipient.user_id,
            first_name: recipient.first_name,
            address: Address::Usable(recipient.address),
        }
    }
}

/// The address of an item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Option<String>", into = "Option<String>")]
pub enum Address {
    /// A message can be sent there.
    Usable(EmailAddress),
    /// There is a text, and it is no e-mail address.
    Invalid,
    /// There is none.
    #[default]
    Missing,
}

impl From<Option<String>> for Address {
    fn from(text: Option<String>) -> Self {
        match text.filter(|text| !text.trim().is_empty()) {
            Some(text) => text.parse().map_or(Self::Invalid, Self::Usable),
            None => Self::Missing,
        }
    }
}

impl From<Address> for Option<String> {
    fn from(address: Address) -> Self {
        match address {
            Address::Usable(address) => Some(address.into()),
            Address::Invalid | Address::Missing => None,
        }
    }
}

/// One item of the `notices` table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// The organization it is about.
    pub organization_id: OrganizationId,
    /// Sort key.
    pub notice: NoticeKey,
    /// Its organization's name when it was planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_name: Option<Name>,
    /// The campaign.
    pub campaign: CampaignId,
    /// The step.
    pub step: StepId,
    /// What the recipient can unsubscribe from.
    pub category: Category,
    /// Which notices go first: higher first.
    pub priority: u8,
    /// The stage that the message speaks of.
    pub stage: Stage,
    /// Why the organization was in it.
    pub stage_reason: StageReason,
    /// Beginning of the stage: with `stage`, the episode.
    pub stage_since: Timestamp,
    /// Who gets it.
    #[serde(flatten)]
    pub recipient: StoredRecipient,
    /// Pseudonym of the address: key of the contacts table.
    pub address_hash: AddressHash,
    /// When it was planned.
    pub planned_at: Timestamp,
    /// When it may go out at the earliest.
    pub due_at: Timestamp,
    /// Present only while the notice is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_bucket: Option<u8>,
    /// Where it is in its life.
    pub status: NoticeStatus,
    /// Why it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<NoticeReason>,
    /// Who claimed it: one id for each attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_id: Option<String>,
    /// When it was claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_at: Option<Timestamp>,
    /// SES's id of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// When the status was last changed.
    pub updated_at: Timestamp,
}

impl Notice {
    /// Both keys as one word.
    pub fn id(&self) -> NoticeId {
        NoticeId {
            organization_id: self.organization_id.clone(),
            notice: self.notice.clone(),
        }
    }

    /// The record of a notice that was just planned.
    pub fn due(planned: PlannedNotice, key: &AddressHashKey) -> Self {
        let address_hash = key.hash(&planned.recipient.address);
        Self {
            notice: NoticeKey::new(planned.since, &planned.step, &address_hash),
            due_bucket: Some(due_bucket(&planned.organization_id)),
            organization_id: planned.organization_id,
            organization_name: planned.organization_name,
            campaign: planned.campaign,
            step: planned.step,
            category: planned.category,
            priority: planned.priority,
            stage: planned.stage,
            stage_reason: planned.stage_reason,
            stage_since: planned.stage_since,
            recipient: planned.recipient.into(),
            address_hash,
            planned_at: planned.planned_at,
            due_at: planned.due_at,
            status: NoticeStatus::Due,
            reason: None,
            claim_id: None,
            claimed_at: None,
            message_id: None,
            updated_at: planned.planned_at,
        }
    }
}

/// `{since}#{step}#{recipient hash}`: the same occurrence of the same step to the same address is
/// one notice, however often it is planned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NoticeKey(String);

impl NoticeKey {
    /// Builds the key of an occurrence.
    pub fn new(since: Timestamp, step: &StepId, address: &AddressHash) -> Self {
        Self(format!("{since}#{step}#{address}"))
    }

    /// The key as stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Pseudonym of the recipient's address, the key's last part; `None` when there is none: a
    /// [`NoticeId`] from outside may hold any text.
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

/// Both keys of a notice as one word that SES accepts as a tag value (`A-Z a-z 0-9 _ -`, at most
/// 256 characters).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeId {
    /// The organization.
    pub organization_id: OrganizationId,
    /// The sort key.
    pub notice: NoticeKey,
}

impl fmt::Display for NoticeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .write_str(&URL_SAFE_NO_PAD.encode(format!("{}/{}", self.organization_id, self.notice)))
    }
}

/// The word is no id of a notice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a notice")]
pub struct InvalidNoticeId;

impl FromStr for NoticeId {
    type Err = InvalidNoticeId;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let bytes = URL_SAFE_NO_PAD.decode(word).map_err(|_| InvalidNoticeId)?;
        let text = String::from_utf8(bytes).map_err(|_| InvalidNoticeId)?;
        let (organization_id, notice) = text.split_once('/').ok_or(InvalidNoticeId)?;
        Ok(Self {
            organization_id: organization_id.parse().map_err(|_| InvalidNoticeId)?,
            notice: NoticeKey(notice.to_owned()),
        })
    }
}

/// Where a notice is in its life.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::EnumIter,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum NoticeStatus {
    /// Waits to be sent.
    Due,
    /// A notifier is sending it.
    Claimed,
    /// SES accepted it.
    Sent,
    /// The recipient's mail server took it.
    Delivered,
    /// The recipient's mail server refused it.
    Bounced,
    /// The recipient called it spam.
    Complained,
    /// SES refused it; it was not sent.
    Failed,
    /// It may have been sent; feedback or an operator settles it.
    Unknown,
    /// A guard said no; it was not sent.
    Skipped,
}

/// Why a notice is in its status.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::EnumIter,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum NoticeReason {
    /// Skipped: too long past its time.
    Expired,
    /// Skipped: the organization has left the stage or episode that the message speaks of.
    StateChanged,
    /// Skipped: there is no address any more.
    MissingAddress,
    /// Skipped: the address is none.
    InvalidAddress,
    /// Skipped: a hard bounce, a complaint or repeated soft bounces are on record for the address.
    Suppressed,
    /// Skipped: the address left this category, or all of them.
    Unsubscribed,
    /// Skipped: the organization is in the control group.
    Holdout,
    /// Due later: the address got as many mails as it may.
    Capped,
    /// Due later: outside of the send window.
    QuietHours,
    /// Due later: the whole system has sent as many mails today as it may.
    DailyLimit,
    /// Due: would go out, but sending is switched to dry run.
    DryRun,
    /// Due: SES asked to slow down.
    Throttled,
    /// Failed: SES does not accept the message, its sender or its recipient.
    MessageRejected,
    /// Due: the account may not send now.
    SendingPaused,
    /// Failed: the message could not be built from the campaign's files.
    Unrenderable,
    /// Unknown: the connection to SES ended without an answer.
    NoAnswer,
    /// Unknown: the notifier that claimed it did not come back.
    ClaimAbandoned,
    /// Sent: SES goes on trying to deliver it.
    DeliveryDelayed,
    /// Bounced for good.
    HardBounce,
    /// Bounced, perhaps for a time only.
    SoftBounce,
    /// Bounced, and SES cannot tell for how long.
    UndeterminedBounce,
    /// Failed: SES accepted the message and then found a virus in it.
    ContentRejected,
    /// Failed: SES accepted the message and could not build it.
    RenderingFailure,
}
