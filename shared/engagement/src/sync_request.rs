//! The message that asks for a look at one organization: what the sync queue carries.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{identity::OrganizationId, personal::Name};

/// A request to look at one organization.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SyncRequest {
    /// Version of this format: [`SyncRequest::SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The run that asks.
    pub run_id: String,
    /// Which organization, and what the list of organizations says about it.
    pub organization: ListedOrganization,
    /// The moment that the look is for.
    pub as_of: Timestamp,
    /// Look even if the organization is not due.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

impl SyncRequest {
    /// The version written today, and the only one read.
    pub const SCHEMA_VERSION: u32 = 1;
}

/// What `GET /v3/partner/organizations` says about an organization, less everything that is nobody's business.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListedOrganization {
    /// BILL's id.
    pub id: OrganizationId,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Whether it is archived.
    #[serde(default)]
    pub archived: bool,
    /// When it was created in BILL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}
