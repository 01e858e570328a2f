//! The hourly budget of BILL requests.

use engagement::SyncRequest;
use runtime::clock;
use sandbox::Switches;

use crate::support::{PLENTY_OF_REQUESTS, PLENTY_OF_TIME, TestSync, body, messages, request};

#[tokio::test]
async fn the_requests_of_a_batch_are_counted_exactly() {
    let sync = TestSync::start(10).await;
    let bodies = messages(&sync.customers(3));

    let batch = sync.run(&bodies).await;

    let used = PLENTY_OF_REQUESTS - remaining(&sync).await;
    let requests = batch.metrics.total("bill_requests");
    assert!((requests - f64::from(used)).abs() < f64::EPSILON, "{used}");
    assert_eq!(u64::from(used), sync.sandbox.statistics().requests);
}

#[tokio::test]
async fn without_budget_the_organizations_stay_due_and_no_request_is_made() {
    let sync = TestSync::start(10).await;
    let organizations = sync.customers(3);
    let config = sync.config(14); // three syncs reserve 15

    let batch = sync
        .run_with(config, &messages(&organizations), PLENTY_OF_TIME)
        .await
        .unwrap();

    assert_eq!(batch.returned, [0; 0]);
    assert_eq!(sync.item(&organizations[0]).await, None);
    assert_eq!(sync.sandbox.statistics().requests, 0);
}

#[tokio::test]
async fn without_budget_a_message_for_all_makes_its_organization_due() {
    let sync = TestSync::start(10).await;
    let organization = &sync.customers(1)[0];
    let as_of = clock::now();
    sync.run(&[body(&request(organization, as_of))]).await;
    let before = sync.record(organization).await.unwrap();
    assert!(before.next_check_at > as_of);
    let all = SyncRequest {
        all: true,
        ..request(organization, as_of + jiff::SignedDuration::from_secs(1))
    };

    let config = sync.config(1);
    sync.run_with(config, &[body(&all)], PLENTY_OF_TIME)
        .await
        .unwrap();

    let after = sync.record(organization).await.unwrap();
    assert_eq!(
        (after.next_check_at, after.checked_at),
        (all.as_of, before.checked_at)
    );
}

#[tokio::test]
async fn an_hour_that_bill_closes_ends_the_requests_of_the_batch() {
    let sync = TestSync::start(40).await;
    let organizations = sync.customers(30);
    sync.sandbox.set_switches(Switches {
        hourly_limit: 20,
        ..Switches::default()
    });

    let batch = sync.run(&messages(&organizations)).await;

    assert_eq!(batch.returned, [0; 0]);
    assert_eq!(remaining(&sync).await, 0, "the hour is closed for all");
    let requests = sync.sandbox.statistics().requests;
    assert!(
        requests < 20 + 30,
        "at most the ten that run at once learn it from BILL: {requests}"
    );

    let synced = count_synced(&sync, &organizations).await;
    assert!(synced < 30, "{synced}");
    let next = sync.run(&messages(&organizations)).await;
    assert_eq!(next.returned, [0; 0]);
    assert_eq!(sync.sandbox.statistics().requests, requests);
}

async fn count_synced(sync: &TestSync, organizations: &[engagement::ListedOrganization]) -> usize {
    let mut synced = 0;
    for organization in organizations {
        synced += usize::from(sync.record(organization).await.is_some());
    }
    synced
}

async fn remaining(sync: &TestSync) -> u32 {
    sync.tables
        .hourly_budget(TestSync::limits(PLENTY_OF_REQUESTS))
        .remaining(clock::now())
        .await
        .unwrap()
        .requests
}
