//! The first runs after an update from the last release, whose table has no index.

use std::time::Duration;

use fan_out::RunOutcome;
use runtime::ScheduleEvent;
use serde_json::json;
use store::Migration;

use crate::support::{PLENTY_OF_REQUESTS, TestSweep, event_at, run, unique};

#[tokio::test]
async fn items_of_the_last_release_are_queued_when_they_are_due() {
    let sweep = TestSweep::start(5).await;
    let listed = sweep.listed();
    for (position, id) in listed.iter().enumerate() {
        let next_check_at = if position < 3 {
            "2020-01-01T00:00:00Z"
        } else {
            "2999-01-01T00:00:00Z"
        };
        let facts = sweep.sandbox.organization(id).unwrap();
        sweep
            .put_organization(json!({
                "organization_id": id,
                "name": facts.name,
                "stage": if facts.archived { "closed" } else { "active" },
                "stage_reason": if facts.archived { "archived" } else { "last_payment" },
                "next_check_at": next_check_at,
                "schema_version": 1,
            }))
            .await;
    }
    // A sweep of the last release ended with this position.
    sweep
        .put_run(json!({
            "run": "cursor", "page": "token", "run_id": "earlier",
            "saved_at": "2026-11-23T08:00:00Z", "schema_version": 1,
        }))
        .await;

    let first = sweep.run_at(0).await;

    assert_eq!(
        (first.outcome, first.queued, first.new),
        (RunOutcome::Completed, 3, 0)
    );
    assert_eq!(
        unique(sweep.queued().await),
        unique(listed[..3].to_vec()),
        "each once, and those first that are overdue"
    );
    assert_eq!(sweep.state().await.migration, Migration::NotStarted);
    assert_eq!(first.changed, 0, "the migration completed every item");

    sweep.run_at(1).await;
    assert_eq!(
        sweep.state().await.migration,
        Migration::Complete,
        "a whole pass found nothing"
    );
}

/// A function of the last release was still at work and wrote its item after the first pass.
#[tokio::test]
async fn what_the_last_release_writes_after_the_first_run_is_found() {
    let sweep = TestSweep::start(0).await;
    let old = |id: &str| {
        json!({
            "organization_id": id, "stage": "active", "next_check_at": "2020-01-01T00:00:00Z",
        })
    };
    sweep.put_organization(old("00801A")).await;
    assert_eq!(sweep.run_at(0).await.queued, 1);

    sweep.put_organization(old("00801B")).await;

    assert_eq!(sweep.run_at(1).await.queued, 2);
}

/// A page of the table has at most 1 MB, and this run has time for one.
#[tokio::test]
async fn a_request_for_all_is_kept_until_the_migration_is_complete() {
    let sweep = TestSweep::start(0).await;
    for number in 0..4 {
        sweep
            .put_organization(json!({
                "organization_id": format!("00801{number}"),
                "stage": "active",
                "next_check_at": "2999-01-01T00:00:00Z",
                "filler": "x".repeat(390_000),
            }))
            .await;
    }
    let all = ScheduleEvent {
        all: true,
        ..event_at(0)
    };

    let function = sweep.function(PLENTY_OF_REQUESTS);
    let first = run(&function, &all, Duration::from_secs(15)).await.unwrap();
    assert_eq!((first.outcome, first.queued), (RunOutcome::OutOfTime, 0));

    assert_eq!(sweep.run_at(1).await.queued, 4);
}
