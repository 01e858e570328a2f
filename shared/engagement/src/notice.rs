//! Notices: one e-mail of one campaign step to one recipient, from the plan to the final status.

mod id;
mod planned;
mod recipient;
mod status;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::{
    id::{InvalidNoticeId, NoticeId, NoticeKey},
    planned::{PlannedNotice, Recipient},
    recipient::{StoredAddress, StoredRecipient},
    status::{NoticeReason, NoticeStatus},
};
use crate::{
    address_hash::{AddressHash, AddressHashKey},
    campaign::{CampaignId, Category, StepId},
    identity::OrganizationId,
    personal::Name,
    stage::{Stage, StageReason},
};

/// Number of buckets that due notices are spread over, by a stable hash of the organization id.
pub const DUE_BUCKETS: u8 = 8;

/// One item of the `notices` table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// The organization that the e-mail is about. Partition key.
    pub organization_id: OrganizationId,
    /// Sort key.
    pub notice: NoticeKey,
    /// The name of the organization at the time of planning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
    /// Why the organization was in that stage.
    pub stage_reason: StageReason,
    /// When the organization entered the stage. Identifies the episode, together with `stage`.
    pub stage_since: Timestamp,
    /// The recipient.
    #[serde(flatten)]
    pub recipient: StoredRecipient,
    /// Pseudonym of the address: key of the `contacts` table.
    pub address_hash: AddressHash,
    /// When the notice was planned.
    pub planned_at: Timestamp,
    /// When the e-mail may be sent at the earliest.
    pub due_at: Timestamp,
    /// Present only while the notice is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_bucket: Option<u8>,
    /// The status.
    pub status: NoticeStatus,
    /// Why the notice has this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<NoticeReason>,
    /// Id of the claim. Each attempt to send makes a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_id: Option<String>,
    /// When the notice was claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_at: Option<Timestamp>,
    /// The message id that SES assigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// When the status last changed.
    pub updated_at: Timestamp,
}

impl Notice {
    /// The item of a notice that was just planned, with status `due`.
    pub fn from_planned(planned: PlannedNotice, key: &AddressHashKey) -> Self {
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

    /// Both keys in one value.
    pub fn id(&self) -> NoticeId {
        NoticeId {
            organization_id: self.organization_id.clone(),
            notice: self.notice.clone(),
        }
    }
}

/// The bucket of an organization's due notices, in `0..DUE_BUCKETS`. The same on every machine and
/// in every release.
pub fn due_bucket(organization: &OrganizationId) -> u8 {
    Sha256::digest(organization.as_str().as_bytes())[0] % DUE_BUCKETS
}
