//! Which organizations are queued.

use fan_out::{FanOut, RunOutcome};
use jiff::SignedDuration;
use runtime::{ErrorType, ScheduleEvent};
use sandbox::Population;
use serde_json::{Value, json};

use crate::support::{PLENTY_OF_REQUESTS, PLENTY_OF_TIME, STARTED_AT, TestSweep, run, unique};

#[tokio::test]
async fn organizations_without_an_item_are_queued_once_from_every_page() {
    let sweep = TestSweep::start(250).await;

    let summary = sweep.run(PLENTY_OF_REQUESTS, PLENTY_OF_TIME).await;

    assert_eq!(
        (summary.outcome, summary.new, summary.due, summary.queued),
        (RunOutcome::Completed, 250, 250, 250)
    );
    assert_eq!(unique(sweep.queued().await), unique(sweep.listed()));
}

#[tokio::test]
async fn the_longest_overdue_are_queued_first() {
    let sweep = TestSweep::start(0).await;
    for (id, next_check_at) in [
        ("00801TODAY", "2026-11-23T06:00:00Z"),
        ("00801LATER", "2999-01-01T00:00:00Z"),
        ("00801YEARS", "2020-01-01T00:00:00Z"),
        ("00801MONTH", "2026-10-23T06:00:00Z"),
    ] {
        sweep.put_organization(item(id, next_check_at)).await;
    }

    // The migration to the index finds the items in the order of the table.
    let summary = sweep.run(11, PLENTY_OF_TIME).await;
    assert_eq!(
        (summary.outcome, summary.queued),
        (RunOutcome::BudgetSpent, 2)
    );
    assert_eq!(sweep.queued().await, ["00801YEARS", "00801MONTH"]);

    let summary = sweep.run(PLENTY_OF_REQUESTS, PLENTY_OF_TIME).await;
    assert_eq!(
        (summary.outcome, summary.queued),
        (RunOutcome::Completed, 3),
        "what was not synced is still due"
    );
    assert_eq!(
        sweep.queued().await,
        ["00801YEARS", "00801MONTH", "00801TODAY"]
    );
}

#[tokio::test]
async fn the_time_of_the_event_decides_who_is_due() {
    let sweep = TestSweep::start(0).await;
    sweep
        .put_organization(item("00801A", "2026-11-23T09:00:00Z"))
        .await;
    let function = sweep.function(PLENTY_OF_REQUESTS);

    for (time, expected) in [("2026-11-23T08:59:59Z", 0), ("2026-11-23T09:00:00Z", 1)] {
        let event = ScheduleEvent {
            time: Some(time.parse().unwrap()),
            all: false,
        };
        let summary = run(&function, &event, PLENTY_OF_TIME).await.unwrap();
        assert_eq!(summary.due, expected, "{time}");
    }
}

#[tokio::test]
async fn a_deployed_stack_refuses_a_time_in_the_future() {
    let sweep = TestSweep::start(1).await;
    let mut config = sweep.config(PLENTY_OF_REQUESTS);
    config.environment = "production".to_owned();
    let function = FanOut::new(config, sweep.aws()).unwrap();
    let event = |minutes| ScheduleEvent {
        time: Some(*STARTED_AT + SignedDuration::from_mins(minutes)),
        all: false,
    };

    let failure = sweep.run_for(&function, &event(6)).await.unwrap_err();
    assert_eq!(failure.error_type, ErrorType::EventInvalid);
    assert!(failure.message.contains("5 minutes"), "{failure}");
    assert_eq!(sweep.sandbox.statistics().requests, 0);

    let summary = sweep.run_for(&function, &event(4)).await.unwrap();
    assert_eq!(summary.queued, 1);
}

#[tokio::test]
async fn unreadable_rows_and_items_do_not_stop_the_others() {
    let population = Population {
        organizations: 60,
        bad_records: true,
        ..Population::default()
    };
    let sweep = TestSweep::with_population(population).await;
    let listed = sweep.listed();
    let unreadable = json!({ "organization_id": listed[0], "next_check_at": "soon" });
    sweep.put_organization(unreadable).await;

    let summary = sweep.run(PLENTY_OF_REQUESTS, PLENTY_OF_TIME).await;

    assert!(summary.skipped > 0, "{summary:?}");
    assert_eq!(summary.outcome, RunOutcome::Completed);
    assert_eq!(unique(sweep.queued().await), unique(listed));
}

/// An organization that was active at its last sync.
fn item(id: &str, next_check_at: &str) -> Value {
    json!({
        "organization_id": id,
        "stage": "active",
        "stage_reason": "last_payment",
        "next_check_at": next_check_at,
    })
}
