//! The messages of a batch: each is processed by itself, and at most once.

use std::time::Duration;

use engagement::SyncRequest;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{PLENTY_OF_REQUESTS, TestSync, body, messages, now, request};

#[tokio::test]
async fn each_organization_gets_the_stage_that_its_facts_mean() {
    let sync = TestSync::start(10).await;
    let organizations = sync.listed();

    let batch = sync.run(&messages(&organizations)).await;

    assert_eq!(batch.returned, [0; 0]);
    let expectations = sync.sandbox.expectations(sync.sandbox.now());
    for organization in &organizations {
        let record = sync.record(organization).await.unwrap();
        let expected = expectations
            .iter()
            .find(|expected| {
                expected.organization_id.as_deref() == Some(record.organization_id.as_str())
            })
            .unwrap();
        assert_eq!(
            Some(record.stage.to_string()),
            expected.expected_stage,
            "{}",
            expected.scenario
        );
    }
    assert!((batch.metrics.total("organizations_synced") - 10.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_parked_beside_good_ones() {
    let sync = TestSync::start(10).await;
    let organizations = sync.customers(2);
    let mut bodies = messages(&organizations);
    let mut unknown: Value = serde_json::from_str(&bodies[0]).unwrap();
    unknown["schema_version"] = json!(0);
    bodies.insert(0, "marisol@kestrel.example".to_owned());
    bodies.insert(2, unknown.to_string());

    let batch = sync.run(&bodies).await;

    assert_eq!(batch.returned, [0; 0]);
    for organization in &organizations {
        assert!(sync.record(organization).await.is_some());
    }
    let mut parked = sync.dead_letters().await;
    parked.sort();
    let mut expected = vec![bodies[0].clone(), bodies[2].clone()];
    expected.sort();
    assert_eq!(parked, expected);
}

#[tokio::test]
async fn a_message_that_arrives_twice_or_late_causes_no_second_sync() {
    let sync = TestSync::start(10).await;
    let organization = &sync.customers(1)[0];
    let as_of = now();
    let first = request(organization, as_of);
    let late = SyncRequest {
        all: true,
        ..request(organization, as_of - SignedDuration::from_secs(1))
    };
    sync.run(&[body(&first)]).await;
    let record = sync.record(organization).await;
    let requests = sync.sandbox.statistics().requests;

    let batch = sync.run(&[body(&first), body(&late)]).await;

    assert_eq!(batch.returned, [0; 0]);
    assert_eq!(sync.record(organization).await, record);
    assert_eq!(sync.sandbox.statistics().requests, requests);
    assert!((batch.metrics.total("organizations_not_due") - 2.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn an_organization_that_is_not_due_is_synced_only_with_all() {
    let sync = TestSync::start(10).await;
    let organization = &sync.customers(1)[0];
    let as_of = now();
    sync.run(&[body(&request(organization, as_of))]).await;
    let next = request(organization, as_of + SignedDuration::from_secs(1));

    sync.run(&[body(&next)]).await;
    assert_eq!(sync.record(organization).await.unwrap().checked_at, as_of);

    let all = SyncRequest { all: true, ..next };
    sync.run(&[body(&all)]).await;
    assert_eq!(
        sync.record(organization).await.unwrap().checked_at,
        all.as_of
    );
}

#[tokio::test]
async fn two_batches_at_once_write_one_result() {
    let sync = TestSync::start(10).await;
    let organizations = sync.customers(3);
    let bodies = messages(&organizations);

    let (one, other) = tokio::join!(sync.run(&bodies), sync.run(&bodies));

    assert_eq!((one.returned, other.returned), (vec![], vec![]));
    for organization in &organizations {
        assert_eq!(sync.record(organization).await.unwrap().version, 1);
    }
}

#[tokio::test]
async fn no_sync_is_started_near_the_deadline() {
    let sync = TestSync::start(10).await;
    let organizations = sync.customers(2);
    let config = sync.config(PLENTY_OF_REQUESTS);

    let batch = sync
        .run_with(config, &messages(&organizations), Duration::from_secs(9))
        .await
        .unwrap();

    assert_eq!(batch.returned, [0, 1]);
    assert_eq!(sync.sandbox.statistics().requests, 0);
    assert_eq!(sync.record(&organizations[0]).await, None);
}

#[tokio::test]
async fn an_unreadable_record_is_retried_beside_good_ones() {
    let sync = TestSync::start(10).await;
    let organizations = sync.customers(2);
    sync.put_organization(json!({
        "organization_id": organizations[0].id.as_str(),
        "stage": "levitating",
    }))
    .await;

    let batch = sync.run(&messages(&organizations)).await;

    assert_eq!(batch.returned, [0]);
    assert!(sync.record(&organizations[1]).await.is_some());
}
