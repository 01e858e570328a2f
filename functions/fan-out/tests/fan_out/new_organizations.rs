//! Organizations that are new at BILL.

use std::time::Duration;

use fan_out::RunOutcome;
use jiff::{SignedDuration, Timestamp};
use runtime::ErrorType;
use sandbox::{Fault, FaultKind, Organization, Sandbox};

use crate::support::{
    PLENTY_OF_REQUESTS, PLENTY_OF_TIME, STARTED_AT, TestSweep, event_at, run, unique,
};

const NEW: usize = 500;

#[tokio::test]
async fn only_pages_of_new_organizations_are_read() {
    let sweep = TestSweep::start(250).await;
    sweep.run_at(0).await;
    sweep.queued().await;
    add(&sweep.sandbox, 3, *STARTED_AT);
    sweep.sandbox.reset_statistics();

    let summary = sweep.run_at(1).await;

    assert_eq!((summary.pages, summary.new), (1, 3));
    let items = sweep.items().await;
    let item = &items["00801NEW00000"];
    assert_eq!(item["next_check_at"], event_at(1).time.unwrap().to_string());
    assert_eq!(
        (&item["archived"], item.get("stage")),
        (&false.into(), None)
    );
}

/// The process stops after the rows of the first page: the next run finds all.
#[tokio::test]
async fn a_run_that_stops_after_its_first_page_loses_no_organization() {
    let sweep = TestSweep::start(5).await;
    sweep.run_at(0).await;
    sweep.queued().await;
    add(&sweep.sandbox, NEW, *STARTED_AT);
    sweep.sandbox.add_fault(Fault {
        endpoint: Some("listPartnerOrganizations".to_owned()),
        organization_id: None,
        kind: FaultKind::Delay { milliseconds: 300 },
        times: None,
    });
    let function = sweep.function(PLENTY_OF_REQUESTS);
    let event = event_at(1);
    let first_page_is_written = async {
        while sweep.items().await.len() < 100 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        _ = run(&function, &event, PLENTY_OF_TIME) => panic!("the run was not stopped"),
        () = first_page_is_written => {}
    }
    sweep.sandbox.clear_faults();
    let rows = sweep.items().await.len();
    assert!((100..NEW).contains(&rows), "{rows}");
    assert_eq!(sweep.queued().await, [""; 0]);

    let summary = sweep.run_at(2).await;

    assert_eq!(
        (summary.outcome, summary.queued),
        (RunOutcome::Completed, 5 + NEW as u64),
        "the first five were not synced either"
    );
    assert_eq!(unique(sweep.queued().await), unique(sweep.listed()));
}

#[tokio::test]
async fn a_list_that_cannot_be_read_fails_the_run_after_the_due_were_queued() {
    let sweep = TestSweep::start(5).await;
    sweep.run_at(0).await;
    assert_eq!(sweep.queued().await.len(), 5);
    let listed_to = sweep.state().await.listed_to;
    add(&sweep.sandbox, 1, *STARTED_AT);
    sweep.sandbox.add_fault(Fault {
        endpoint: Some("listPartnerOrganizations".to_owned()),
        organization_id: None,
        kind: FaultKind::Status {
            status: 503,
            code: None,
            retry_after: None,
        },
        times: None,
    });

    let function = sweep.function(PLENTY_OF_REQUESTS);
    let failure = run(&function, &event_at(1), PLENTY_OF_TIME).await;

    assert_eq!(failure.unwrap_err().error_type, ErrorType::BillUnavailable);
    assert_eq!(sweep.queued().await.len(), 5, "none of them was synced");
    assert_eq!(sweep.state().await.listed_to, listed_to);

    sweep.sandbox.clear_faults();
    assert_eq!(sweep.run_at(9).await.new, 1);
}

/// A page in the order of creation that ends long before the rows that were just added.
#[tokio::test]
async fn who_appears_late_is_found_by_the_full_listing() {
    let sweep = TestSweep::start(5).await;
    sweep.run_at(0).await;
    add(
        &sweep.sandbox,
        1,
        *STARTED_AT - SignedDuration::from_hours(9),
    );

    assert_eq!(sweep.run_at(1).await.new, 0);
    let next_day = sweep.run_at(24).await;
    assert_eq!(next_day.new, 1);
    assert!(sweep.items().await.contains_key("00801NEW00000"));
}

/// Adds organizations that were created at this time.
fn add(sandbox: &Sandbox, count: usize, created_at: Timestamp) {
    let any = sandbox
        .expectations(sandbox.now())
        .into_iter()
        .find_map(|expectation| sandbox.organization(&expectation.organization_id?))
        .unwrap();
    for number in 0..count {
        sandbox.put_organization(Organization {
            id: Some(format!("00801NEW{number:05}")),
            archived: false,
            created_at,
            ..any.clone()
        });
    }
}
