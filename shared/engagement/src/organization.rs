//! What is remembered about an organization from one check to the next.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    campaign::StepId,
    identity::{OrganizationId, UserId},
    personal::Name,
    stage::{Stage, StageReason},
};

/// One item of the `organizations` table: where the organization stands and the facts that say so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Organization {
    /// BILL's id.
    pub organization_id: OrganizationId,
    /// The organization's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// The present stage.
    pub stage: Stage,
    /// Why it is in that stage.
    pub stage_reason: StageReason,
    /// Since when; the check that first saw the stage.
    pub stage_since: Timestamp,
    /// Moment of the observation that this record rests on.
    pub checked_at: Timestamp,
    /// When to look again at the latest.
    pub next_check_at: Timestamp,
    /// When the organization was created in BILL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Bank accounts that count.
    pub bank_accounts: u32,
    /// Those of them that are verified.
    pub verified_bank_accounts: u32,
    /// Time of the newest qualifying payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_payment_at: Option<Timestamp>,
    /// Qualifying payments of the trailing 30 days.
    pub payments_30d: u32,
    /// Qualifying payments of the trailing 90 days.
    pub payments_90d: u32,
    /// Sum of the qualifying payments of the trailing 30 days, USD where BILL gives it.
    #[serde(with = "rust_decimal::serde::str")]
    pub amount_30d: Decimal,
    /// Unarchived users.
    pub users: u32,
    /// Ids of the users to sign in as, the most promising first.
    pub contacts: Vec<UserId>,
    /// The campaign steps that were planned or passed over.
    pub steps: BTreeMap<StepId, StepRecord>,
    /// Counts the writes of this record; 1 for the first.
    pub version: u64,
}

impl Organization {
    /// Users kept in `contacts` at most.
    pub const MAX_CONTACTS: usize = 5;
}

/// When a step was decided upon, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The check that decided.
    pub at: Timestamp,
    /// What it decided.
    pub outcome: StepOutcome,
}

/// What became of a step that was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// Notices were written.
    Planned,
    /// A later step of the campaign was due too.
    PassedOver,
    /// The organization has nobody to write to.
    NoRecipient,
}

/// One item of the `transitions` table: an organization entered a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// The organization.
    pub organization_id: OrganizationId,
    /// When the check saw it.
    pub at: Timestamp,
    /// The stage before; absent when the organization is new here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Stage>,
    /// The stage entered.
    pub to: Stage,
    /// Why.
    pub reason: StageReason,
}
