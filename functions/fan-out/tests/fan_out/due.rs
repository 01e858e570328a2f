//! Which organizations are queued.

use fan_out::{FanOut, RunOutcome};
use jiff::SignedDuration;
use runtime::{ErrorType, ScheduleEvent};
use sandbox::{OrganizationPatch, Population};
use serde_json::{Value, json};

use crate::support::{PLENTY_OF_REQUESTS, PLENTY_OF_TIME, STARTED_AT, TestSweep, run, unique};

#[tokio::test]
async fn organizations_without_a_record_are_queued_once_from_every_page() {
    let sweep = TestSweep::start(250).await;

    let summary = sweep.run(PLENTY_OF_REQUESTS, PLENTY_OF_TIME).await;

    assert_eq!(
        (summary.outcome, summary.pages, summary.due, summary.queued),
        (RunOutcome::Completed, 3, 250, 250)
    );
    assert_eq!(unique(sweep.queued().await), unique(sweep.listed()));
    assert_eq!(sweep.cursor().load().await.unwrap(), None);
}

#[tokio::test]
async fn only_due_and_newly_archived_organizations_are_queued() {
    let sweep = TestSweep::start(5).await;
    let listed = sweep.listed();
    let archive = |archived| OrganizationPatch {
        archived: Some(archived),
        ..OrganizationPatch::default()
    };
    for id in &listed {
        assert!(sweep.sandbox.patch_organization(id, archive(false)));
    }
    for (id, next_check_at) in [
        (&listed[0], "2020-01-01T00:00:00Z"),
        (&listed[1], "2999-01-01T00:00:00Z"),
        (&listed[2], "2999-01-01T00:00:00Z"),
        (&listed[3], "2020-01-01T00:00:00Z"),
        (&listed[4], "2999-01-01T00:00:00Z"),
    ] {
        sweep.put_organization(item(id, next_check_at)).await;
    }
    assert!(sweep.sandbox.patch_organization(&listed[2], archive(true)));

    sweep.run(PLENTY_OF_REQUESTS, PLENTY_OF_TIME).await;
    let expected = [0, 2, 3].map(|position: usize| listed[position].clone());
    assert_eq!(
        unique(sweep.queued().await),
        unique(expected.to_vec()),
        "the due ones, and the one that was archived since its last sync"
    );

    let all = ScheduleEvent {
        all: true,
        ..ScheduleEvent::default()
    };
    let function = sweep.function(PLENTY_OF_REQUESTS);
    run(&function, &all, PLENTY_OF_TIME).await.unwrap();
    assert_eq!(unique(sweep.queued().await), unique(listed));
}

#[tokio::test]
async fn the_time_of_the_event_decides_who_is_due() {
    let sweep = TestSweep::start(1).await;
    sweep
        .put_organization(item(&sweep.listed()[0], "2026-11-23T09:00:00Z"))
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

    let failure = run(&function, &event(6), PLENTY_OF_TIME).await.unwrap_err();
    assert_eq!(failure.error_type, ErrorType::EventInvalid);
    assert!(failure.message.contains("5 minutes"), "{failure}");
    assert_eq!(sweep.sandbox.statistics().requests, 0);

    let summary = run(&function, &event(4), PLENTY_OF_TIME).await.unwrap();
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
    assert_eq!(
        (summary.outcome, summary.queued),
        (RunOutcome::Completed, summary.organizations)
    );
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
