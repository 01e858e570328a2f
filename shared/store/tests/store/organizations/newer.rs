//! Items that a newer release wrote.

use serde_json::json;
use store::StoredOrganization;

use super::syncs::{progress, sync};
use crate::{
    fixtures::{SYNCED_AT, at, id},
    tables::Tables,
};

#[tokio::test]
async fn an_item_of_a_newer_release_is_recognized_and_never_changed() {
    let tables = &Tables::create().await;
    let organizations = tables.organizations();
    sync(tables, 0..1, SYNCED_AT).await;
    tables
        .put(
            "organizations",
            json!({
                "organization_id": id(1).as_str(),
                "schema_version": 2,
                "stage": "dormant_30",
                "stage_since": SYNCED_AT,
                "checked_at": SYNCED_AT,
                "next_check_at": "2026-11-24T06:00:00Z",
            }),
        )
        .await;
    let before = tables.items("organizations").await[1].clone();
    let now = at("2026-11-23T12:00:00Z");

    let made_due = organizations.make_due(now, |_| {}).await;
    organizations
        .record_failure(&id(1), "bill_unavailable", now, now, now)
        .await
        .unwrap();

    assert_eq!(made_due, Ok(progress(2, 1)));
    assert_eq!(tables.items("organizations").await[1], before);
    assert_eq!(
        organizations.get_for_sync(&id(1)).await,
        Ok(StoredOrganization::Newer)
    );
    assert!(matches!(
        organizations.get_for_sync(&id(0)).await,
        Ok(StoredOrganization::Known(_))
    ));
    assert_eq!(
        organizations.get_for_sync(&id(2)).await,
        Ok(StoredOrganization::Unknown)
    );
}
