//! A notice as a sync plans it, before it is stored.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    campaign::{CampaignId, Category, StepId},
    identity::{OrganizationId, UserId},
    personal::{EmailAddress, Name},
    stage::{Stage, StageReason},
};

/// An e-mail that a sync decided to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedNotice {
    /// The organization that the e-mail is about.
    pub organization_id: OrganizationId,
    /// The name of the organization.
    pub organization_name: Option<Name>,
    /// The campaign.
    pub campaign: CampaignId,
    /// The step.
    pub step: StepId,
    /// What the recipient can unsubscribe from.
    pub category: Category,
    /// Notices with a higher priority are sent first.
    pub priority: u8,
    /// The stage that the e-mail is about.
    pub stage: Stage,
    /// Why the organization is in that stage.
    pub stage_reason: StageReason,
    /// When the organization entered the stage. Identifies the episode, together with `stage`.
    pub stage_since: Timestamp,
    /// Start of this occurrence of the step: `stage_since`, or the time from which a repeated step
    /// was allowed again.
    pub since: Timestamp,
    /// The recipient.
    pub recipient: Recipient,
    /// When the notice was planned.
    pub planned_at: Timestamp,
    /// When the e-mail may be sent at the earliest.
    pub due_at: Timestamp,
}

/// The user who gets an e-mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// BILL's id of the user.
    pub user_id: UserId,
    /// The user's first name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<Name>,
    /// The user's e-mail address.
    pub address: EmailAddress,
}
