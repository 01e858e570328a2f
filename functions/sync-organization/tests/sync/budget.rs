//! The hourly budget of BILL requests.

use engagement::SyncRequest;
use jiff::Timestamp;
use sandbox::Switches;
use serde_json::json;
use store::BudgetShare;

use crate::support::{
    PLENTY_OF_REQUESTS, PLENTY_OF_TIME, TestSync, body, handle_at, messages, now, request,
};

#[tokio::test]
async fn the_requests_of_a_batch_are_counted_exactly() {
    let sync = TestSync::start(10).await;
    let bodies = messages(&sync.customers(3));

    let batch = sync.run(&bodies).await;

    let used = PLENTY_OF_REQUESTS * 8 / 10 - remaining(&sync).await;
    let requests = batch.metrics.total("bill_requests");
    assert!((requests - f64::from(used)).abs() < f64::EPSILON, "{used}");
    assert_eq!(u64::from(used), sync.sandbox.statistics().requests);
}

#[tokio::test]
async fn without_budget_the_organizations_stay_due_and_no_request_is_made() {
    let sync = TestSync::start(10).await;
    let organizations = sync.customers(3);
    let config = sync.config(6); // one sync reserves 5, and the sweep may use 80 percent

    let batch = sync
        .run_with(config, &messages(&organizations), PLENTY_OF_TIME)
        .await
        .unwrap();

    assert_eq!(batch.returned, [0; 0]);
    assert_eq!(sync.item(&organizations[0]).await, None);
    assert_eq!(sync.sandbox.statistics().requests, 0);
}

#[tokio::test]
async fn a_budget_for_a_part_of_the_batch_is_used() {
    let sync = TestSync::start(10).await;
    let organizations = sync.customers(3);
    let config = sync.config(18); // 80 percent of it are two syncs

    let batch = sync
        .run_with(config, &messages(&organizations), PLENTY_OF_TIME)
        .await
        .unwrap();

    assert_eq!(batch.returned, [0; 0]);
    assert_eq!(count_synced(&sync, &organizations).await, 2);
}

#[tokio::test]
async fn without_budget_a_message_for_all_makes_its_organization_due() {
    let sync = TestSync::start(10).await;
    let organization = &sync.customers(1)[0];
    let as_of = now();
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

/// The clocks of BILL and AWS differ: the answer may be about the hour before.
#[tokio::test]
async fn in_the_first_minute_an_hour_is_not_closed_and_the_messages_come_back() {
    let sync = TestSync::start(10).await;
    let organizations = sync.customers(3);
    let bodies = messages(&organizations);
    sync.sandbox.set_switches(Switches {
        hourly_limit: 0,
        ..Switches::default()
    });
    let function = sync.function(sync.config(PLENTY_OF_REQUESTS));
    let start = async |time: &str| {
        let started_at = time.parse().unwrap();
        let batch = handle_at(&function, &bodies, PLENTY_OF_TIME, 1, started_at).await;
        batch.unwrap()
    };

    let early = start("2026-11-23T10:00:30Z").await;
    assert_eq!(early.returned, [0, 1, 2]);
    let budget = sync
        .tables
        .hourly_budget(TestSync::limits(PLENTY_OF_REQUESTS));
    let remaining = async || {
        let ten = "2026-11-23T10:30:00Z".parse().unwrap();
        budget.remaining(ten, BudgetShare::Sweep).await.unwrap()
    };
    assert!(remaining().await.requests > 0);

    let later = start("2026-11-23T10:01:00Z").await;
    assert_eq!(later.returned, [0; 0], "the organizations stay due");
    assert_eq!(remaining().await.requests, 0);
}

/// Events may use 50 percent of the hour, and the sweep 80.
#[tokio::test]
async fn events_beyond_their_share_are_made_due_and_the_sweep_goes_on() {
    let sync = TestSync::start(20).await;
    let organizations = sync.customers(8);
    let long_ago = now() - jiff::SignedDuration::from_mins(5);
    let config = sync.config(40);
    let mut synced = 0;
    for organization in &organizations[..6] {
        let (event, _) = SyncRequest::for_event(organization.id.clone(), "event", long_ago);
        sync.run_with(config.clone(), &[body(&event)], PLENTY_OF_TIME)
            .await
            .unwrap();
        synced += usize::from(sync.record(organization).await.is_some());
    }
    assert!((1..6).contains(&synced), "{synced}");
    let waiting = sync.item(&organizations[5]).await.unwrap();
    let next_check_at = waiting["next_check_at"].as_str().unwrap();
    assert!(next_check_at.parse::<Timestamp>().unwrap() <= now());

    let swept = messages(&organizations[6..7]);
    sync.run_with(config, &swept, PLENTY_OF_TIME).await.unwrap();
    assert!(sync.record(&organizations[6]).await.is_some());
}

#[tokio::test]
async fn an_event_without_budget_does_not_move_an_organization_that_is_due() {
    let sync = TestSync::start(10).await;
    let organization = &sync.customers(1)[0];
    let due = json!({
        "organization_id": organization.id.as_str(),
        "archived": false,
        "next_check_at": "2026-11-23T06:00:00Z",
    });
    sync.put_organization(due.clone()).await;
    let long_ago = now() - jiff::SignedDuration::from_mins(5);
    let (event, _) = SyncRequest::for_event(organization.id.clone(), "event", long_ago);

    let batch = sync
        .run_with(sync.config(1), &[body(&event)], PLENTY_OF_TIME)
        .await
        .unwrap();

    assert_eq!(batch.returned, [0; 0]);
    assert_eq!(sync.item(organization).await, Some(due));
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
        .remaining(now(), BudgetShare::Sweep)
        .await
        .unwrap()
        .requests
}
