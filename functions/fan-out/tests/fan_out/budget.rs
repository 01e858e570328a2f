//! The hourly budget of BILL requests.

use std::io::sink;

use fan_out::RunOutcome;
use jiff::SignedDuration;
use runtime::{Deadline, Invocation, Metrics, ScheduleEvent};
use store::{BudgetShare, HourlyLimits};

use crate::support::{PLENTY_OF_REQUESTS, PLENTY_OF_TIME, STARTED_AT, TestSweep};

#[tokio::test]
async fn a_spent_budget_makes_no_request() {
    let sweep = TestSweep::start(3).await;

    let summary = sweep.run(1, PLENTY_OF_TIME).await;

    assert_eq!((summary.pages, summary.queued), (0, 0));
    assert_eq!(sweep.sandbox.statistics().requests, 0);
}

#[tokio::test]
async fn every_request_is_counted() {
    let sweep = TestSweep::start(250).await;

    sweep.run(PLENTY_OF_REQUESTS, PLENTY_OF_TIME).await;

    let used = PLENTY_OF_REQUESTS * 8 / 10 - remaining_requests(&sweep).await;
    let listing = &sweep.runs("budget#").await[0]["listing_requests"];
    let counted = u64::from(used) + listing.as_u64().unwrap();
    assert_eq!(counted, sweep.sandbox.statistics().requests);
}

#[tokio::test]
async fn an_hour_that_bill_closes_ends_the_run_for_all_functions() {
    let sweep = TestSweep::start(3).await;
    sweep.limit_bill(0);

    let closed = sweep.run(PLENTY_OF_REQUESTS, PLENTY_OF_TIME).await;

    assert_eq!((closed.pages, closed.queued), (0, 0));
    assert_eq!(remaining_requests(&sweep).await, 0);
    let requests = sweep.sandbox.statistics().requests;
    sweep.run(PLENTY_OF_REQUESTS, PLENTY_OF_TIME).await;
    assert_eq!(
        sweep.sandbox.statistics().requests,
        requests,
        "none in the same hour"
    );
}

#[tokio::test]
async fn sweeps_that_end_without_budget_are_counted() {
    let sweep = TestSweep::start(20).await;
    for expected in [1, 2] {
        let summary = sweep.run(10, PLENTY_OF_TIME).await;
        assert_eq!(summary.outcome, RunOutcome::BudgetSpent);
        assert_eq!(sweep.state().await.sweeps_without_budget, expected);
    }

    sweep.run(PLENTY_OF_REQUESTS, PLENTY_OF_TIME).await;
    assert_eq!(sweep.state().await.sweeps_without_budget, 0);
}

/// BILL's clock is a second behind: its answer at 10:00:58 is about the hour that ends.
#[tokio::test]
async fn an_hour_that_bill_closes_in_its_first_minute_is_asked_again() {
    let sweep = TestSweep::start(3).await;
    let bill_second = sweep.sandbox.now().as_second().rem_euclid(3_600);
    sweep
        .sandbox
        .advance(SignedDuration::from_secs(3_600 - 1 - bill_second));
    sweep.limit_bill(2); // the login and, in the next hour, two pages
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

async fn remaining_requests(sweep: &TestSweep) -> u32 {
    let limits = HourlyLimits {
        requests_per_hour: PLENTY_OF_REQUESTS,
        sign_ins_per_hour: None,
        events_share: 50,
    };
    let budget = sweep.tables.hourly_budget(limits);
    let left = budget.remaining(*STARTED_AT, BudgetShare::Sweep).await;
    left.unwrap().requests
}
