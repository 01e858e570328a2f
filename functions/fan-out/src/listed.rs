//! Reads the rows of a page of BILL's list.

use bill::Page;
use bill_connection::listed_organization;
use engagement::{ListedOrganization, OrganizationId};

/// The organizations of a page, and the number of rows that were skipped because they have no valid
/// id.
pub fn listed_organizations(page: Page<bill::Organization>) -> (Vec<ListedOrganization>, u64) {
    let mut skipped = page.skipped;
    let listed = page.rows.into_iter().filter_map(|row| {
        let id = row
            .id
            .as_deref()
            .unwrap_or_default()
            .parse::<OrganizationId>();
        let id = id.inspect_err(|reason| {
            skipped += 1;
            tracing::warn!(%reason, "an organization was skipped because its id is invalid");
        });
        Some(listed_organization(id.ok()?, row))
    });
    let listed = listed.collect();
    (listed, skipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_a_valid_id_are_skipped_and_counted() {
        let row = |id: Option<&str>| bill::Organization {
            id: id.map(str::to_owned),
            ..bill::Organization::default()
        };
        let rows = vec![
            row(Some("00801A")),
            row(None),
            row(Some("")),
            row(Some("008 01B")),
            row(Some("00801C")),
        ];
        let (listed, skipped) = listed_organizations(Page {
            rows,
            skipped: 2,
            next: None,
        });

        let ids: Vec<&str> = listed
            .iter()
            .map(|organization| organization.id.as_str())
            .collect();
        assert_eq!((ids, skipped), (vec!["00801A", "00801C"], 5));
    }
}
