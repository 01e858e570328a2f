//! `{"all": true}` makes every organization due.

use fan_out::RunOutcome;
use jiff::SignedDuration;
use runtime::ScheduleEvent;
use serde_json::json;

use crate::support::{PLENTY_OF_REQUESTS, PLENTY_OF_TIME, STARTED_AT, TestSweep, event_at, run};

#[tokio::test]
async fn all_organizations_become_due_and_later_runs_queue_them_as_the_budget_allows() {
    let sweep = TestSweep::start(0).await;
    let later = *STARTED_AT + SignedDuration::from_hours(20);
    for number in 0..30 {
        sweep
            .put_organization(json!({
                "organization_id": format!("00801{number:04}"),
                "stage": "active",
                "checked_at": "2026-11-23T06:00:00Z",
                "next_check_at": later,
            }))
            .await;
    }
    // 80 percent are ten syncs and two requests for the list of new organizations.
    let function = sweep.function(40);

    let all = ScheduleEvent {
        all: true,
        ..event_at(0)
    };
    let first = run(&function, &all, PLENTY_OF_TIME).await.unwrap();

    assert_eq!((first.made_due, first.queued), (30, 10));
    assert_eq!(first.outcome, RunOutcome::BudgetSpent);
    assert_eq!(sweep.state().await.make_due, None);
    let mut synced = Vec::new();
    for hour in 1..=3 {
        let queued = sweep.queued().await;
        assert_eq!(queued.len(), 10);
        for id in &queued {
            sweep
                .put_organization(json!({
                    "organization_id": id, "check_bucket": 0, "next_check_at": later,
                }))
                .await;
        }
        synced.extend(queued);
        run(&function, &event_at(hour), PLENTY_OF_TIME)
            .await
            .unwrap();
    }
    synced.sort();
    synced.dedup();
    assert_eq!(synced.len(), 30, "each once");
    assert_eq!(sweep.queued().await, [""; 0]);
}

/// The run that was asked stops after it noted the request.
#[tokio::test]
async fn a_later_run_continues_a_request_for_all() {
    let sweep = TestSweep::start(0).await;
    let later = *STARTED_AT + SignedDuration::from_hours(20);
    sweep
        .put_organization(json!({
            "organization_id": "00801A", "stage": "active", "next_check_at": later,
        }))
        .await;
    sweep
        .change_state(|state| {
            state.make_due = Some(store::MakeDueRequest {
                at: *STARTED_AT,
                after: None,
            });
        })
        .await;

    let summary = sweep.run(PLENTY_OF_REQUESTS, PLENTY_OF_TIME).await;

    assert_eq!((summary.made_due, summary.queued), (1, 1));
    assert_eq!(sweep.state().await.make_due, None);
}
