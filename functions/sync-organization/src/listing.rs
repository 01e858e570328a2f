//! The row of an organization in BILL's list, as BILL returns it now and as the last sync saw it.

use engagement::{ListedOrganization, Name, Organization, OrganizationId, StageReason};
use secrecy::ExposeSecret;

/// The row that BILL returns.
pub fn listed_organization(id: &OrganizationId, row: bill::Organization) -> ListedOrganization {
    ListedOrganization {
        id: id.clone(),
        name: row.name.map(|name| Name::new(name.expose_secret())),
        archived: row.archived.unwrap_or(false),
        created_at: row.created_time,
    }
}

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
