//! Recorded sync failures.

use serde_json::json;

use crate::{
    fixtures::{SYNCED_AT, at, decision, id, organization, write_decision},
    tables::{Tables, assert_items},
};

const LATER: &str = "2026-11-23T07:00:00Z";

#[tokio::test]
async fn a_failed_first_sync_creates_an_item_that_reads_as_none() {
    let tables = &Tables::create().await;
    let organizations = tables.organizations();

    organizations
        .record_failure(
            &id(1),
            "bill_unavailable",
            at("2026-11-23T06:00:00.5Z"),
            at(LATER),
            at("2026-11-23T06:00:00.5Z"),
        )
        .await
        .unwrap();

    assert_items!(tables.items("organizations").await, "failure");
    assert_eq!(organizations.get(&id(1)).await.unwrap(), None);
    let due = organizations.due(at(LATER), 10).await.unwrap();
    assert_eq!(due.len(), 1);
}

#[tokio::test]
async fn a_sync_failure_is_recorded_beside_the_record() {
    let tables = &Tables::create().await;
    write_decision(tables, &decision(1, 1, SYNCED_AT, &[]), None).await;
    let organizations = tables.organizations();
    let next_check_at = at("2026-11-23T13:00:00Z");

    for _ in 0..2 {
        organizations
            .record_failure(
                &id(1),
                "bill_unavailable",
                at(LATER),
                next_check_at,
                at(LATER),
            )
            .await
            .unwrap();
    }

    let mut expected = organization(1, 1, SYNCED_AT);
    expected.next_check_at = next_check_at;
    assert_eq!(organizations.get(&id(1)).await.unwrap(), Some(expected));
    assert_eq!(
        tables.items("organizations").await[0]["sync_error"],
        json!({ "S": "bill_unavailable" })
    );
}

#[tokio::test]
async fn an_older_failure_changes_nothing() {
    let tables = &Tables::create().await;
    write_decision(tables, &decision(1, 1, LATER, &[]), None).await;
    let organizations = tables.organizations();
    organizations
        .record_failure(&id(2), "bill_unavailable", at(LATER), at(LATER), at(LATER))
        .await
        .unwrap();
    let before = tables.items("organizations").await;

    for number in [1, 2] {
        organizations
            .record_failure(
                &id(number),
                "bill_refused",
                at(SYNCED_AT),
                at(SYNCED_AT),
                at(SYNCED_AT),
            )
            .await
            .unwrap();
    }

    assert_eq!(tables.items("organizations").await, before);
}
