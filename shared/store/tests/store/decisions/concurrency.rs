//! Repeated, stale and concurrent decisions.

use futures::future::join_all;
use store::WriteOutcome;

use crate::{
    fixtures::{SYNCED_AT, at, decision, id, key, organization, row, write_decision, written},
    tables::Tables,
};

const LATER: &str = "2026-11-23T07:00:00Z";
const ADDRESSES: [&str; 2] = ["Marisol@kestrel.example", "tomas@kestrel.example"];

#[tokio::test]
async fn a_decision_written_twice_is_superseded() {
    let tables = &Tables::create().await;
    let decision = decision(1, 1, SYNCED_AT, &ADDRESSES);
    write_decision(tables, &decision, None).await;

    let outcome = write_decision(tables, &decision, None).await;

    assert_eq!(outcome, WriteOutcome::Superseded);
    assert_eq!(tables.items("notices").await.len(), 2);
}

#[tokio::test]
async fn a_stale_version_writes_nothing() {
    let tables = &Tables::create().await;
    write_decision(tables, &decision(1, 1, SYNCED_AT, &[]), None).await;
    let before = tables.items("organizations").await;

    let previous = organization(1, 7, SYNCED_AT);
    let outcome = write_decision(tables, &decision(1, 8, LATER, &ADDRESSES), Some(&previous)).await;

    assert_eq!(outcome, WriteOutcome::Superseded);
    assert_eq!(tables.items("organizations").await, before);
    assert_eq!(tables.items("transitions").await.len(), 1);
    assert_eq!(tables.items("notices").await.len(), 0);
}

#[tokio::test]
async fn an_older_sync_never_overwrites_a_newer_one() {
    let tables = &Tables::create().await;
    write_decision(tables, &decision(1, 1, LATER, &[]), None).await;
    let previous = organization(1, 1, LATER);

    for checked_at in [SYNCED_AT, LATER, "2026-11-23T07:00:00.9Z"] {
        let older = decision(1, 2, checked_at, &ADDRESSES);
        let outcome = write_decision(tables, &older, Some(&previous)).await;
        assert_eq!(outcome, WriteOutcome::Superseded, "{checked_at}");
    }

    let newer = decision(1, 2, "2026-11-23T07:00:01Z", &[]);
    let outcome = write_decision(tables, &newer, Some(&previous)).await;
    assert_eq!(outcome, written(0, 0));
    assert_eq!(tables.items("notices").await.len(), 0);
}

#[tokio::test]
async fn a_sync_never_undoes_a_concurrent_make_due() {
    let tables = &Tables::create().await;
    write_decision(tables, &decision(1, 1, SYNCED_AT, &[]), None).await;
    let previous = organization(1, 1, SYNCED_AT);
    let noon = at("2026-11-23T12:00:00Z");
    tables
        .organizations()
        .record_failure(&id(1), "bill_hour_exhausted", noon, noon, noon)
        .await
        .unwrap();

    let decision = decision(1, 2, LATER, &ADDRESSES);
    let outcome = write_decision(tables, &decision, Some(&previous)).await;

    assert_eq!(outcome, WriteOutcome::Superseded);
    let due = tables.organizations().due(noon, 10).await.unwrap();
    assert_eq!(due[0].next_check_at, noon);

    let previous = tables.organizations().get(&id(1)).await.unwrap();
    let outcome = write_decision(tables, &decision, previous.as_ref()).await;

    assert_eq!(
        outcome,
        written(2, 0),
        "a sync that has read the new due time"
    );
}

#[tokio::test]
async fn one_of_ten_concurrent_writers_wins() {
    let tables = &Tables::create().await;
    let (writer, key) = (tables.decisions(), key());
    for version in [1, 2] {
        let previous = tables.organizations().get(&id(1)).await.unwrap();
        let previous = previous.as_ref().map(row);
        let decisions = (0..10).map(|number| {
            let checked_at = format!("2026-11-23T0{version}:00:0{number}Z");
            let address = format!("writer{number}@kestrel.example");
            decision(1, version, &checked_at, &[&address])
        });
        let decisions: Vec<_> = decisions.collect();

        let outcomes = join_all(
            decisions
                .iter()
                .map(|decision| writer.write(decision, previous.as_ref(), &key)),
        )
        .await;

        let wins = outcomes
            .into_iter()
            .map(Result::unwrap)
            .filter(|outcome| *outcome != WriteOutcome::Superseded);
        assert_eq!(wins.collect::<Vec<_>>(), [written(1, 0)]);
    }

    let organization = tables.organizations().get(&id(1)).await.unwrap().unwrap();
    assert_eq!(organization.version, 2);
    assert_eq!(tables.items("transitions").await.len(), 2);
    assert_eq!(tables.items("notices").await.len(), 2);
}
