//! A run that ends before the end of the list, and the run after it.

use std::{io::sink, time::Duration};

use fan_out::RunOutcome;
use jiff::SignedDuration;
use runtime::{Deadline, ErrorType, Invocation, Metrics, ScheduleEvent};
use store::{BudgetAmount, BudgetShare, HourlyLimits, SweepPosition};

use crate::support::{
    PAGE, PLENTY_OF_REQUESTS, PLENTY_OF_TIME, STARTED_AT, TestSweep, run, unique,
};

/// Less than the time that must be left before another page is processed.
const LITTLE_TIME: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_run_without_budget_continues_where_the_last_one_ended() {
    let sweep = TestSweep::start(250).await;
    let listed = sweep.listed();

    // 120 syncs of five requests each are 80 percent of the hour.
    let first = sweep.run(750, PLENTY_OF_TIME).await;
    assert_eq!(
        (first.outcome, first.pages, first.queued),
        (RunOutcome::BudgetSpent, 2, 120)
    );
    assert_eq!(unique(sweep.queued().await), unique(listed[..120].to_vec()));

    // The requests for the list count too, and the first run prefetched the third page.
    let second = sweep.run((4 + 5 * 130) * 10 / 8 + 1, PLENTY_OF_TIME).await;
    assert_eq!(
        (second.outcome, second.pages, second.queued),
        (RunOutcome::BudgetSpent, 2, 130)
    );
    assert_eq!(
        unique(sweep.queued().await),
        unique(listed[PAGE..PAGE + 130].to_vec()),
        "from the page that the first run did not finish"
    );

    let third = sweep.run(PLENTY_OF_REQUESTS, PLENTY_OF_TIME).await;
    assert_eq!(
        (third.outcome, third.pages, third.queued),
        (RunOutcome::Completed, 3, 250),
        "from the third page to the end, then from the first page"
    );
    assert_eq!(sweep.cursor().load().await.unwrap(), None);
}

#[tokio::test]
async fn a_spent_budget_makes_no_request() {
    let sweep = TestSweep::start(3).await;

    let summary = sweep.run(4, PLENTY_OF_TIME).await;

    assert_eq!(
        (summary.outcome, summary.pages, summary.queued),
        (RunOutcome::BudgetSpent, 0, 0)
    );
    assert_eq!(sweep.sandbox.statistics().requests, 0);
}

#[tokio::test]
async fn a_run_near_its_deadline_saves_the_next_page() {
    let sweep = TestSweep::start(250).await;
    let listed = sweep.listed();

    let first = sweep.run(PLENTY_OF_REQUESTS, LITTLE_TIME).await;
    assert_eq!(
        (first.outcome, first.pages),
        (RunOutcome::OutOfTime, 1),
        "one page is always processed"
    );
    assert_eq!(
        unique(sweep.queued().await),
        unique(listed[..PAGE].to_vec())
    );

    let second = sweep.run(PLENTY_OF_REQUESTS, LITTLE_TIME).await;
    assert_eq!((second.outcome, second.pages), (RunOutcome::OutOfTime, 1));
    assert_eq!(
        unique(sweep.queued().await),
        unique(listed[PAGE..2 * PAGE].to_vec())
    );

    let third = sweep.run(PLENTY_OF_REQUESTS, PLENTY_OF_TIME).await;
    assert_eq!((third.outcome, third.pages), (RunOutcome::Completed, 3));
    assert_eq!(unique(sweep.queued().await), unique(listed));
}

#[tokio::test]
async fn an_hour_that_bill_closes_ends_the_run_and_keeps_the_position() {
    let sweep = TestSweep::start(250).await;
    let listed = sweep.listed();
    sweep.run(PLENTY_OF_REQUESTS, LITTLE_TIME).await;
    sweep.queued().await;
    let position = sweep.cursor().load().await.unwrap();
    assert!(position.is_some());

    // The login and the second page; the third page is rejected with BDC_1144.
    sweep.sandbox.advance(SignedDuration::from_hours(1));
    sweep.limit_bill(2);
    let closed = sweep.run(PLENTY_OF_REQUESTS, PLENTY_OF_TIME).await;

    assert_eq!(
        (closed.outcome, closed.pages, closed.queued),
        (RunOutcome::BudgetSpent, 1, 100)
    );
    assert_eq!(
        unique(sweep.queued().await),
        unique(listed[PAGE..2 * PAGE].to_vec())
    );
    assert_eq!(sweep.cursor().load().await.unwrap(), position);
    assert_eq!(
        remaining_requests(&sweep).await,
        0,
        "no function makes another request in this hour"
    );

    let in_the_same_hour = sweep.run(PLENTY_OF_REQUESTS, PLENTY_OF_TIME).await;
    assert_eq!(
        (in_the_same_hour.outcome, in_the_same_hour.pages),
        (RunOutcome::BudgetSpent, 0)
    );
}

/// BILL's clock is a second behind: its answer at 10:00:58 is about the hour that ends.
#[tokio::test]
async fn an_hour_that_bill_closes_in_its_first_minute_is_asked_again() {
    let sweep = TestSweep::start(3).await;
    let bill_second = sweep.sandbox.now().as_second().rem_euclid(3_600);
    sweep
        .sandbox
        .advance(SignedDuration::from_secs(3_600 - 1 - bill_second));
    sweep.limit_bill(1); // the login, and in the next hour the page
    let metrics = Metrics::to_writer("fan-out", "local", sink());
    let deadline = Deadline::after(PLENTY_OF_TIME);
    let invocation = Invocation {
        started_at: "2026-11-23T10:00:58Z".parse().unwrap(),
        ..Invocation::new("run".to_owned(), deadline, metrics)
    };

    let summary = sweep
        .function(PLENTY_OF_REQUESTS)
        .run(&ScheduleEvent::default(), &invocation)
        .await
        .unwrap();

    assert_eq!(
        (summary.outcome, summary.queued),
        (RunOutcome::Completed, 3)
    );
}

#[tokio::test]
async fn a_rejected_page_token_starts_at_the_first_page() {
    let sweep = TestSweep::start(3).await;
    let position = SweepPosition {
        page: "of-another-list".to_owned(),
        run_id: "earlier".to_owned(),
        saved_at: *STARTED_AT,
    };
    sweep.cursor().save(&position).await.unwrap();

    let summary = sweep.run(PLENTY_OF_REQUESTS, PLENTY_OF_TIME).await;

    assert_eq!((summary.outcome, summary.pages), (RunOutcome::Completed, 1));
    assert_eq!(unique(sweep.queued().await), unique(sweep.listed()));
    assert_eq!(sweep.cursor().load().await.unwrap(), None);
}

#[tokio::test]
async fn an_old_position_is_not_used() {
    let sweep = TestSweep::start(3).await;
    let position = SweepPosition {
        page: "of-another-list".to_owned(),
        run_id: "earlier".to_owned(),
        saved_at: *STARTED_AT - SignedDuration::from_hours(6),
    };
    sweep.cursor().save(&position).await.unwrap();

    sweep.run(PLENTY_OF_REQUESTS, PLENTY_OF_TIME).await;

    let errors = sweep.sandbox.statistics().errors_by_code;
    assert!(errors.is_empty(), "{errors:?}");
}

#[tokio::test]
async fn a_failed_page_fails_the_run_and_keeps_the_position() {
    let sweep = TestSweep::start(250).await;
    sweep.run(PLENTY_OF_REQUESTS, LITTLE_TIME).await;
    let position = sweep.cursor().load().await.unwrap();
    sweep.sandbox.add_fault(sandbox::Fault {
        endpoint: Some("listPartnerOrganizations".to_owned()),
        organization_id: None,
        kind: sandbox::FaultKind::Status {
            status: 503,
            code: None,
            retry_after: None,
        },
        times: None,
    });

    let function = sweep.function(PLENTY_OF_REQUESTS);
    let failure = run(&function, &ScheduleEvent::default(), PLENTY_OF_TIME)
        .await
        .unwrap_err();

    assert_eq!(failure.error_type, ErrorType::BillUnavailable);
    assert_eq!(sweep.cursor().load().await.unwrap(), position);
}

async fn remaining_requests(sweep: &TestSweep) -> u32 {
    let limits = HourlyLimits {
        requests_per_hour: PLENTY_OF_REQUESTS,
        sign_ins_per_hour: None,
        events_share: 50,
    };
    let BudgetAmount { requests, .. } = sweep
        .tables
        .hourly_budget(limits)
        .remaining(*STARTED_AT, BudgetShare::Sweep)
        .await
        .unwrap();
    requests
}
