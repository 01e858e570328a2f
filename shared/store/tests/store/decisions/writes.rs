//! What is written, and what is left unchanged.

use engagement::Name;
use store::{ClaimOutcome, StoreErrorKind, StoredOrganization};

use crate::{
    fixtures::{
        COUNT_RETENTION, SYNCED_AT, at, claim, decision, id, key, organization, write_decision,
        written,
    },
    tables::{Tables, assert_items},
};

const LATER: &str = "2026-11-23T07:00:00Z";
const ADDRESSES: [&str; 2] = ["Marisol@kestrel.example", "tomas@kestrel.example"];

#[tokio::test]
async fn record_transition_and_notices_are_written_together() {
    let tables = &Tables::create().await;
    let decision = decision(1, 1, SYNCED_AT, &ADDRESSES);

    let outcome = write_decision(tables, &decision, None).await;

    assert_eq!(outcome, written(2, 0));
    assert_items!(tables.items("organizations").await, "organization");
    assert_items!(tables.items("transitions").await, "transition");
    assert_items!(tables.items("notices").await, "notices");
    assert_eq!(
        tables.organizations().get(&id(1)).await.unwrap(),
        Some(decision.organization)
    );
}

#[tokio::test]
async fn times_are_truncated_to_seconds_in_every_table() {
    let tables = &Tables::create().await;
    let decision = decision(1, 1, "2026-11-23T06:00:00.75Z", &ADDRESSES);

    write_decision(tables, &decision, None).await;

    let organization = tables.organizations().get(&id(1)).await.unwrap().unwrap();
    assert_eq!(
        (organization.checked_at, organization.stage_since),
        (at(SYNCED_AT), at(SYNCED_AT))
    );
    let due = tables.notices().due(at(LATER), 10, |_| true).await.unwrap();
    for notice in due.notices {
        assert_eq!(
            (notice.stage_since, notice.due_at),
            (organization.stage_since, at(SYNCED_AT))
        );
        assert!(
            notice.notice.as_str().starts_with("2026-11-23T06:00:00Z#"),
            "{}",
            notice.notice
        );
    }
    let transitions = serde_json::to_string(&tables.items("transitions").await).unwrap();
    assert!(
        transitions.contains(SYNCED_AT) && !transitions.contains("00.75"),
        "{transitions}"
    );
}

#[tokio::test]
async fn an_existing_notice_is_never_overwritten() {
    let tables = &Tables::create().await;
    write_decision(tables, &decision(1, 1, SYNCED_AT, &ADDRESSES[..1]), None).await;
    let claimed = tables
        .notices()
        .due(at(SYNCED_AT), 1, |_| true)
        .await
        .unwrap()
        .notices
        .remove(0);
    assert_eq!(
        tables
            .notices()
            .claim(&claimed, None, &claim("claim-1"), COUNT_RETENTION)
            .await,
        Ok(ClaimOutcome::Claimed)
    );
    let before = tables.items("notices").await;

    let mut again = decision(1, 2, LATER, &[]);
    again.notices = decision(1, 1, SYNCED_AT, &ADDRESSES).notices;
    let outcome = write_decision(tables, &again, Some(&organization(1, 1, SYNCED_AT))).await;

    assert_eq!(outcome, written(1, 1));
    let after = tables.items("notices").await;
    assert_eq!(after.len(), 2);
    assert!(after.contains(&before[0]));

    let previous = again.organization.clone();
    again.organization.version = 3;
    again.organization.checked_at = at("2026-11-23T08:00:00Z");
    let outcome = write_decision(tables, &again, Some(&previous)).await;

    assert_eq!(outcome, written(0, 2));
    assert_eq!(tables.items("notices").await, after);
}

#[tokio::test]
async fn a_decision_that_dynamodb_refuses_writes_nothing() {
    let tables = &Tables::create().await;
    let mut decision = decision(1, 1, SYNCED_AT, &ADDRESSES);
    decision.notices[1].organization_name = Some(Name::new("x".repeat(500_000)));

    let error = tables
        .decisions()
        .write(&decision, None, &key())
        .await
        .unwrap_err();

    assert_eq!(
        (error.kind(), error.is_retryable()),
        (StoreErrorKind::InvalidRequest, false)
    );
    assert!(
        error.to_string().len() < 200,
        "the error contains item contents: {error}"
    );
    for table in ["organizations", "transitions", "notices"] {
        assert_eq!(tables.items(table).await.len(), 0, "{table}");
    }
}

#[tokio::test]
async fn a_successful_sync_clears_the_recorded_failure() {
    let tables = &Tables::create().await;
    let organizations = tables.organizations();
    organizations
        .record_failure(
            &id(1),
            "bill_unavailable",
            at(SYNCED_AT),
            at(LATER),
            at(SYNCED_AT),
        )
        .await
        .unwrap();
    let StoredOrganization::Known(failed) = organizations.get_for_sync(&id(1)).await.unwrap()
    else {
        panic!("the failure has an item");
    };
    assert_eq!(
        (failed.record.as_ref(), failed.listing.as_ref()),
        (None, None)
    );

    let outcome = tables
        .decisions()
        .write(&decision(1, 1, LATER, &[]), Some(&failed), &key())
        .await
        .unwrap();

    assert_eq!(outcome, written(0, 0));
    let item = &tables.items("organizations").await[0];
    assert!(
        item.get("sync_error").is_none() && item.get("sync_failed_at").is_none(),
        "{item}"
    );
}
