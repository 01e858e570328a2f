//! Maps a row of BILL's list of organizations.

use engagement::{ListedOrganization, Name, OrganizationId};
use secrecy::ExposeSecret;

/// The row of BILL's list of the organization with this id, which is valid, unlike that of the row.
pub fn listed_organization(id: OrganizationId, row: bill::Organization) -> ListedOrganization {
    ListedOrganization {
        id,
        name: row.name.map(|name| Name::new(name.expose_secret())),
        archived: row.archived.unwrap_or(false),
        created_at: row.created_time,
    }
}
