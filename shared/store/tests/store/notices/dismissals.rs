//! Dismissals of in-product messages, in the same table as the notices.

use crate::{
    fixtures::{SYNCED_AT, at, id, planned, write_notices},
    tables::{Tables, assert_items},
};

const LATER: &str = "2026-11-23T07:00:00Z";
const MESSAGE: &str = "dormant_30-20261123T060000Z";

#[tokio::test]
async fn a_message_is_dismissed_only_for_its_organization() {
    let tables = &Tables::create().await;
    let dismissals = tables.dismissals();
    dismissals
        .add(&id(1), MESSAGE, at(SYNCED_AT))
        .await
        .unwrap();

    for (organization, message, expected) in [
        (1, MESSAGE, true),
        (1, "dormant_30-20261124T060000Z", false),
        (2, MESSAGE, false),
    ] {
        assert_eq!(
            dismissals.contains(&id(organization), message).await,
            Ok(expected),
            "{organization} {message}"
        );
    }
    assert_items!(tables.items("notices").await, "dismissal");
}

#[tokio::test]
async fn dismissing_again_keeps_the_first_time() {
    let tables = &Tables::create().await;
    let dismissals = tables.dismissals();
    dismissals
        .add(&id(1), MESSAGE, at(SYNCED_AT))
        .await
        .unwrap();
    let first = tables.items("notices").await;

    dismissals.add(&id(1), MESSAGE, at(LATER)).await.unwrap();

    assert_eq!(tables.items("notices").await, first);
}

#[tokio::test]
async fn no_query_for_notices_finds_a_dismissal() {
    let tables = &Tables::create().await;
    tables
        .dismissals()
        .add(&id(1), MESSAGE, at(SYNCED_AT))
        .await
        .unwrap();
    let planned = planned(1, "marisol@kestrel.example", SYNCED_AT);
    let notices = write_notices(tables, vec![planned]).await;

    let due = tables.notices().due(at(LATER), 10, |_| true).await.unwrap();

    assert_eq!(due.notices, notices);
    for index in ["by-due", "by-status"] {
        assert_eq!(
            tables.index_item_count("notices", index).await,
            1,
            "{index}"
        );
    }
    assert_eq!(tables.items("notices").await.len(), 2);
}
