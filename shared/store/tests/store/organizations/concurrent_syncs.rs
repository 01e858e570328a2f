//! Syncs that overlap with making their organizations due.

use store::WriteOutcome;

use super::syncs::{due_at, progress, sync, sync_again, write_decision_over};
use crate::{
    fixtures::{SYNCED_AT, at, id, written},
    tables::Tables,
};

/// The time of make-due: after [`SYNCED_AT`], and before the organizations are due.
const NOW: &str = "2026-11-23T12:00:00.7Z";

#[tokio::test]
async fn a_sync_written_after_make_due_is_kept() {
    let tables = &Tables::create().await;
    sync(tables, 0..2, SYNCED_AT).await;
    let organizations = tables.organizations();
    organizations.make_due(at(NOW), |_| {}).await.unwrap();

    assert_eq!(sync_again(tables, 0, NOW).await, written(0, 0));

    assert_eq!(due_at(tables, 2, NOW).await, [1]);
    assert_eq!(
        organizations.make_due(at(NOW), |_| {}).await.unwrap(),
        progress(2, 0)
    );
    assert_eq!(due_at(tables, 2, NOW).await, [1]);
}

#[tokio::test]
async fn a_sync_begun_before_make_due_is_superseded() {
    let tables = &Tables::create().await;
    sync(tables, 0..1, SYNCED_AT).await;
    let organizations = tables.organizations();
    let previous = organizations.get(&id(0)).await.unwrap();
    organizations.make_due(at(NOW), |_| {}).await.unwrap();

    let outcome = write_decision_over(tables, previous, "2026-11-23T11:59:59Z").await;

    assert_eq!(outcome, WriteOutcome::Superseded);
    assert_eq!(due_at(tables, 1, NOW).await, [0]);
}

#[tokio::test]
async fn a_failed_sync_begun_before_make_due_leaves_the_organization_due() {
    let tables = &Tables::create().await;
    sync(tables, 0..2, SYNCED_AT).await;
    let organizations = tables.organizations();
    organizations.make_due(at(NOW), |_| {}).await.unwrap();

    let fail = async |number, started_at: &str, now: &str| {
        organizations
            .record_failure(
                &id(number),
                "bill_refused",
                at(started_at),
                at("2026-11-24T12:00:00Z"),
                at(now),
            )
            .await
            .unwrap();
    };
    fail(0, "2026-11-23T11:59:59Z", "2026-11-23T12:00:02Z").await;
    fail(1, "2026-11-23T12:00:01Z", "2026-11-23T12:00:02Z").await;

    assert_eq!(
        due_at(tables, 2, NOW).await,
        [0],
        "the sync of the second organization began after make-due"
    );
}
