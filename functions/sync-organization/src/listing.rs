//! The row of an organization in BILL's list, as the last sync saw it.

use engagement::{ListedOrganization, Organization, StageReason};

/// The row as the last sync saw it.
pub fn previous_listing(previous: &Organization) -> ListedOrganization {
    ListedOrganization {
        id: previous.organization_id.clone(),
        name: previous.name.clone(),
        archived: was_archived(previous),
        created_at: previous.created_at,
    }
}

/// Whether the organization was archived at its last sync.
pub fn was_archived(organization: &Organization) -> bool {
    organization.stage_reason == StageReason::Archived
}
