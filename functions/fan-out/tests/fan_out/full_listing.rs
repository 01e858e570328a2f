//! The daily listing of all organizations.

use std::time::Duration;

use jiff::SignedDuration;
use rstest::rstest;
use runtime::ErrorType;
use sandbox::{Fault, FaultKind, OrganizationPatch};
use serde_json::json;
use store::FullListing;

use crate::support::{
    PLENTY_OF_REQUESTS, PLENTY_OF_TIME, STARTED_AT, TestSweep, event_at, run, unique,
};

/// Less than the time that must be left before another page is read.
const LITTLE_TIME: Duration = Duration::from_secs(15);

#[tokio::test]
async fn once_a_day_what_changed_at_bill_is_written() {
    let sweep = TestSweep::start(5).await;
    let listed = sweep.listed();
    sweep.run_at(0).await;
    sweep.queued().await;
    for id in &listed {
        let later = *STARTED_AT + SignedDuration::from_hours(90);
        let facts = sweep.sandbox.organization(id).unwrap();
        sweep
            .put_organization(json!({
                "organization_id": id, "stage": "active", "stage_reason": "last_payment",
                "name": facts.name, "archived": facts.archived, "next_check_at": later,
                "check_bucket": 3,
            }))
            .await;
    }
    let was_archived = sweep.sandbox.organization(&listed[0]).unwrap().archived;
    patch(&sweep, 0, |patch| patch.archived = Some(!was_archived));
    patch(&sweep, 1, |patch| {
        patch.name = Some("Kestrel Rooms".to_owned());
    });

    let same_day = sweep.run_at(23).await;
    assert_eq!((same_day.listing, same_day.changed), (None, 0));

    let next_day = sweep.run_at(24).await;
    assert_eq!((next_day.changed, next_day.new), (2, 0));
    assert_eq!(
        sweep.queued().await,
        [listed[0].clone()],
        "who was archived or restored is due, who was renamed is not"
    );
    let items = sweep.items().await;
    assert_eq!(items[&listed[0]]["archived"], !was_archived);
    assert_eq!(items[&listed[1]]["name"], "Kestrel Rooms");
    assert_eq!(items[&listed[1]]["stage"], "active");
}

#[tokio::test]
async fn it_leaves_the_statistics_of_the_day() {
    let sweep = TestSweep::start(5).await;
    let listed = sweep.listed();
    for (id, stage, reason) in [
        (&listed[0], "active", "last_payment"),
        (&listed[1], "active", "last_payment"),
        (&listed[2], "closed", "archived"),
    ] {
        sweep
            .put_organization(json!({
                "organization_id": id, "stage": stage, "stage_reason": reason,
                "next_check_at": "2999-01-01T00:00:00Z",
            }))
            .await;
    }

    sweep.run_at(0).await;

    let statistics = sweep.runs("organizations#").await;
    let day = STARTED_AT.strftime("organizations#%Y-%m-%d").to_string();
    assert_eq!(statistics.len(), 1);
    assert_eq!(
        (&statistics[0]["run"], &statistics[0]["counts"]),
        (
            &json!(day),
            &json!({ "active#last_payment": 2, "closed#archived": 1, "not_synced": 2 })
        )
    );
}

#[tokio::test]
async fn it_continues_in_the_next_run_when_the_time_is_over() {
    let sweep = TestSweep::start(350).await;
    let function = sweep.function(PLENTY_OF_REQUESTS);
    let mut pages = Vec::new();
    for hour in 0..5 {
        let summary = run(&function, &event_at(hour), LITTLE_TIME).await.unwrap();
        pages.push((summary.pages, sweep.state().await.listing.is_some()));
    }

    assert_eq!(
        pages,
        [(2, true), (2, true), (2, true), (2, false), (1, false)],
        "one page of new organizations in each run, and one of the listing in the first four"
    );
    assert_eq!(sweep.items().await.len(), 350);
}

#[tokio::test]
async fn it_continues_in_the_next_hour_when_its_share_is_spent() {
    let sweep = TestSweep::start(350).await;

    // Ten percent of the hour: the login and one page, and then two pages.
    let first = run(&sweep.function(20), &event_at(0), PLENTY_OF_TIME).await;
    assert_eq!(first.unwrap().pages, 3);
    assert!(sweep.state().await.listing.is_some());

    let second = run(&sweep.function(20), &event_at(1), PLENTY_OF_TIME).await;
    second.unwrap();
    assert_eq!(sweep.state().await.listing, None);
    assert_eq!(sweep.items().await.len(), 350);
}

#[tokio::test]
async fn it_continues_in_the_next_hour_when_bill_closes_this_one() {
    let sweep = TestSweep::start(350).await;
    sweep.limit_bill(4); // the login, a page of new ones, and two pages of the listing
    let closed = sweep.run_at(0).await;
    assert_eq!(closed.pages, 3);
    let position = sweep.state().await.listing.unwrap();
    assert!(position.page.is_some());
    sweep.queued().await;

    sweep.limit_bill(1_000);
    let next = sweep.run_at(1).await;
    assert_eq!(sweep.state().await.listing, None);
    assert_eq!(next.pages, 3, "one page of new ones and the last two pages");
    assert_eq!(sweep.items().await.len(), 350);
    assert_eq!(unique(sweep.queued().await), unique(sweep.listed()));
}

#[tokio::test]
async fn it_starts_again_when_bill_no_longer_accepts_the_page_token() {
    let sweep = TestSweep::start(150).await;
    sweep
        .change_state(|state| {
            state.listing = Some(FullListing {
                started_at: *STARTED_AT,
                page: Some("of-another-list".to_owned()),
                counts: [("active#last_payment".to_owned(), 7)].into(),
            });
        })
        .await;

    sweep.run_at(0).await;

    assert_eq!(sweep.state().await.listing, None);
    let statistics = sweep.runs("organizations#").await;
    assert_eq!(statistics[0]["counts"], json!({ "not_synced": 150 }));
}

#[rstest]
#[case::unavailable(status(503), ErrorType::BillUnavailable, true)]
#[case::not_the_documented_format(
    FaultKind::Html { status: 200 }, ErrorType::BillBadAnswer, false
)]
#[tokio::test]
async fn a_page_that_cannot_be_read_is_not_the_start_of_the_next_run(
    #[case] fault: FaultKind,
    #[case] error_type: ErrorType,
    #[case] is_kept: bool,
) {
    let sweep = TestSweep::start(350).await;
    let function = sweep.function(PLENTY_OF_REQUESTS);
    run(&function, &event_at(0), LITTLE_TIME).await.unwrap();
    assert!(sweep.state().await.listing.is_some());
    sweep.sandbox.add_fault(Fault {
        endpoint: Some("listPartnerOrganizations".to_owned()),
        organization_id: None,
        kind: FaultKind::Delay { milliseconds: 0 }, // the page of new organizations
        times: Some(1),
    });
    sweep.sandbox.add_fault(Fault {
        endpoint: Some("listPartnerOrganizations".to_owned()),
        organization_id: None,
        kind: fault,
        times: None,
    });

    let failure = run(&function, &event_at(1), PLENTY_OF_TIME).await;

    assert_eq!(failure.unwrap_err().error_type, error_type);
    assert_eq!(sweep.state().await.listing.is_some(), is_kept);
    sweep.sandbox.clear_faults();
    sweep.run_at(2).await;
    assert_eq!(sweep.state().await.listing, None);
    assert_eq!(sweep.items().await.len(), 350);
}

fn patch(sweep: &TestSweep, position: usize, change: impl FnOnce(&mut OrganizationPatch)) {
    let mut patch = OrganizationPatch::default();
    change(&mut patch);
    let id = &sweep.listed()[position];
    assert!(sweep.sandbox.patch_organization(id, patch));
}

fn status(status: u16) -> FaultKind {
    FaultKind::Status {
        status,
        code: None,
        retry_after: None,
    }
}
