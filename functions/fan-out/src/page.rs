//! Turns a page of BILL's list into sync requests for the organizations that are due.

use bill::Page;
use bill_connection::listed_organization;
use engagement::{ListedOrganization, OrganizationId, SyncRequest};
use jiff::Timestamp;
use store::{Organizations, StoreError};

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

/// The organizations that are due: those without a record, those whose `next_check_at` is not after
/// `as_of`, and those whose `archived` differs from the last sync. With `all`, every organization.
///
/// An `Err` means that the table could not be read. The organizations stay due.
pub async fn due_organizations(
    organizations: &Organizations,
    listed: Vec<ListedOrganization>,
    as_of: Timestamp,
    all: bool,
) -> Result<Vec<ListedOrganization>, StoreError> {
    if all || listed.is_empty() {
        return Ok(listed);
    }
    let ids: Vec<OrganizationId> = listed
        .iter()
        .map(|organization| organization.id.clone())
        .collect();
    let next_syncs = organizations.next_syncs(&ids).await?;

    let is_due = |organization: &ListedOrganization| {
        next_syncs
            .get(&organization.id)
            .is_none_or(|next_sync| next_sync.is_due(as_of, organization.archived))
    };
    Ok(listed.into_iter().filter(is_due).collect())
}

/// One sync request per organization.
pub fn sync_requests(
    organizations: Vec<ListedOrganization>,
    run_id: &str,
    as_of: Timestamp,
    all: bool,
) -> Vec<SyncRequest> {
    organizations
        .into_iter()
        .map(|organization| SyncRequest {
            schema_version: SyncRequest::SCHEMA_VERSION,
            run_id: run_id.to_owned(),
            organization,
            as_of,
            all,
            events_until: None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use engagement::Name;

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

    #[test]
    fn a_sync_request_serializes_to_the_documented_json() {
        let organization = ListedOrganization {
            id: "00801A".parse().unwrap(),
            name: Some(Name::new("Kestrel")),
            archived: false,
            created_at: Some("2026-08-14T17:05:42Z".parse().unwrap()),
        };
        let requests = sync_requests(
            vec![organization],
            "run",
            "2026-11-23T09:00:00Z".parse().unwrap(),
            false,
        );

        assert_eq!(
            serde_json::to_value(&requests[0]).unwrap(),
            serde_json::json!({
                "schema_version": 1,
                "run_id": "run",
                "organization": {
                    "id": "00801A",
                    "name": "Kestrel",
                    "archived": false,
                    "created_at": "2026-08-14T17:05:42Z",
                },
                "as_of": "2026-11-23T09:00:00Z"
            })
        );
    }
}
