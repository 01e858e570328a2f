//! The stored record of an organization and its stage transitions.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    campaign::StepId,
    identity::{OrganizationId, UserId},
    personal::Name,
    stage::{Stage, StageReason},
};

/// One item of the `organizations` table: the stage of the organization and the facts that
/// determine it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Organization {
    /// BILL's id of the organization.
    pub organization_id: OrganizationId,
    /// The name of the organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// The current stage.
    pub stage: Stage,
    /// Why the organization is in that stage.
    pub stage_reason: StageReason,
    /// When the organization entered the stage: `checked_at` of the sync that first found it there.
    pub stage_since: Timestamp,
    /// The time of the snapshot that this record is based on.
    pub checked_at: Timestamp,
    /// When the organization is synced next, at the latest.
    pub next_check_at: Timestamp,
    /// Whether the organization is archived in BILL, as it was last listed.
    pub archived: bool,
    /// When the organization was first listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed_at: Option<Timestamp>,
    /// When the organization was created in BILL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Number of connected bank accounts.
    pub bank_accounts: u32,
    /// Number of connected bank accounts that are verified.
    pub verified_bank_accounts: u32,
    /// Time of the last qualifying payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_payment_at: Option<Timestamp>,
    /// Number of qualifying payments in the last 30 days.
    pub payments_30d: u32,
    /// Number of qualifying payments in the last 90 days.
    pub payments_90d: u32,
    /// Sum of the qualifying payments in the last 30 days, in USD where BILL returns it.
    #[serde(with = "rust_decimal::serde::str")]
    pub amount_30d: Decimal,
    /// Number of unarchived users.
    pub users: u32,
    /// When the users were last read. Absent in a record of release 0.1.0, which read everything at
    /// `checked_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users_read_at: Option<Timestamp>,
    /// When the bank accounts were last read. Absent in a record of release 0.1.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub banks_read_at: Option<Timestamp>,
    /// Ids of the users to sign in as: the one who could read last, then the others in the order of
    /// [`sign_in_candidates`](crate::Snapshot::sign_in_candidates).
    pub contacts: Vec<UserId>,
    /// The outcome of each campaign step that has been due.
    pub steps: BTreeMap<StepId, StepRecord>,
    /// When a sync first saw less than this record: a bank account, a user or a payment is missing.
    /// Absent when the last sync saw everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_seen_at: Option<Timestamp>,
    /// Incremented by each sync, starting at 1.
    pub version: u64,
}

/// Number of buckets of organizations in the order of their next sync.
pub const CHECK_BUCKETS: u8 = 16;

/// The bucket of an organization, in `0..CHECK_BUCKETS`. The same on every machine and in every
/// release.
pub fn check_bucket(organization: &OrganizationId) -> u8 {
    Sha256::digest(organization.as_str().as_bytes())[1] % CHECK_BUCKETS
}

impl Organization {
    /// Maximum length of `contacts`.
    pub const MAX_CONTACTS: usize = 2;

    /// When the users were last read, whatever release wrote the record.
    pub fn users_read_at(&self) -> Timestamp {
        self.users_read_at.unwrap_or(self.checked_at)
    }

    /// When the bank accounts were last read, whatever release wrote the record.
    pub fn banks_read_at(&self) -> Timestamp {
        self.banks_read_at.unwrap_or(self.checked_at)
    }
}

/// The outcome of a step that was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The time of the sync that decided.
    pub at: Timestamp,
    /// The outcome.
    pub outcome: StepOutcome,
}

/// What a sync decided about a step that was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// Notices were written.
    Planned,
    /// A later step of the campaign was due too and was planned instead.
    PassedOver,
    /// The organization has no user with an e-mail address.
    NoRecipient,
}

/// One item of the `transitions` table: an organization entered a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// The organization.
    pub organization_id: OrganizationId,
    /// The time of the sync that found the new stage.
    pub at: Timestamp,
    /// The previous stage. Absent at the first sync of the organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Stage>,
    /// The new stage.
    pub to: Stage,
    /// Why the organization is in the new stage.
    pub reason: StageReason,
}
