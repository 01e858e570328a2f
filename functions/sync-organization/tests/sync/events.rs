//! Messages of BILL's events.

use std::time::Duration;

use engagement::{ListedOrganization, SyncRequest};
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use sandbox::{Fault, FaultKind, OrganizationPatch, Switches};

use crate::support::{PLENTY_OF_TIME, TestSync, body, handle, now};

/// Long enough ago for the window of an event to be over.
const LONG_AGO: SignedDuration = SignedDuration::from_mins(5);

#[tokio::test]
async fn an_event_in_its_window_causes_one_sync_and_keeps_its_message() {
    let sync = TestSync::start(10).await;
    let organization = &sync.customers(1)[0];
    let message = [event_that_lasts(organization)];

    let first = sync.run(&message).await;
    assert_eq!(first.returned, [0]);
    let record = sync.record(organization).await.unwrap();

    let requests = sync.sandbox.statistics().requests;
    let again = sync.run(&message).await;
    assert_eq!(again.returned, [0], "more events may belong to the message");
    assert_eq!(sync.record(organization).await.unwrap(), record);
    assert_eq!(sync.sandbox.statistics().requests, requests);
}

#[tokio::test]
async fn a_late_event_causes_one_sync_and_completes_its_message() {
    let sync = TestSync::start(10).await;
    let organization = &sync.customers(1)[0];
    let message = [event(organization, now() - LONG_AGO)];

    let first = sync.run(&message).await;
    assert_eq!(first.returned, [0; 0]);
    let record = sync.record(organization).await.unwrap();

    let again = sync.run(&message).await;
    assert_eq!(again.returned, [0; 0]);
    assert_eq!(
        sync.record(organization).await.unwrap(),
        record,
        "the sync after the event covers the message that arrives twice"
    );
}

#[tokio::test]
async fn an_event_syncs_an_organization_as_bill_lists_it_now() {
    let sync = TestSync::start(10).await;
    let organization = &sync.customers(1)[0];
    let archived = OrganizationPatch {
        archived: Some(true),
        ..OrganizationPatch::default()
    };
    assert!(
        sync.sandbox
            .patch_organization(organization.id.as_str(), archived)
    );

    sync.run(&[event(organization, now() - LONG_AGO)]).await;

    let record = sync.record(organization).await.unwrap();
    assert_eq!(record.stage.to_string(), "closed");
}

#[rstest]
#[case::not_listed(not_listed)]
#[case::refused(refused)]
#[tokio::test]
async fn an_event_syncs_an_organization_that_bill_does_not_list(#[case] hide: fn(&TestSync, &str)) {
    let sync = TestSync::start(10).await;
    let organization = &sync.customers(1)[0];
    sync.run(&[event(organization, now() - LONG_AGO)]).await;
    let before = sync.record(organization).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await; // times have whole seconds
    hide(&sync, organization.id.as_str());

    let batch = sync.run(&[event_that_lasts(organization)]).await;

    assert_eq!(batch.returned, [0]);
    let after = sync.record(organization).await.unwrap();
    assert!(after.checked_at > before.checked_at);
    assert_eq!(
        (after.stage, after.name, after.created_at),
        (before.stage, before.name, before.created_at),
        "as the last sync saw it"
    );
}

/// BILL lists the organization no more: it is archived, and archived ones are left out.
fn not_listed(sync: &TestSync, id: &str) {
    let archived = OrganizationPatch {
        archived: Some(true),
        ..OrganizationPatch::default()
    };
    assert!(sync.sandbox.patch_organization(id, archived));
    sync.sandbox.set_switches(Switches {
        list_archived: false,
        ..Switches::default()
    });
}

/// BILL refuses the request for the row.
fn refused(sync: &TestSync, _: &str) {
    sync.sandbox.add_fault(Fault {
        endpoint: Some("listPartnerOrganizations".to_owned()),
        organization_id: None,
        kind: FaultKind::Status {
            status: 403,
            code: None,
            retry_after: None,
        },
        times: None,
    });
}

#[tokio::test]
async fn an_event_of_an_unknown_organization_is_completed() {
    let sync = TestSync::start(3).await;
    let unknown = ListedOrganization {
        id: "00801UNKNOWN".parse().unwrap(),
        name: None,
        archived: false,
        created_at: None,
    };

    let batch = sync.run(&[event(&unknown, now() - LONG_AGO)]).await;

    assert_eq!(batch.returned, [0; 0]);
    assert_eq!(sync.item(&unknown).await, None);
    let counted = batch.metrics.total("organizations_unknown");
    assert!((counted - 1.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn an_event_without_budget_makes_its_organization_due_when_its_window_is_over() {
    let sync = TestSync::start(10).await;
    let organization = &sync.customers(1)[0];
    sync.run(&[event(organization, now() - LONG_AGO)]).await;
    let before = sync.record(organization).await.unwrap();
    let function = sync.function(sync.config(1));
    tokio::time::sleep(Duration::from_secs(1)).await; // times have whole seconds

    let open = handle(
        &function,
        &[event_that_lasts(organization)],
        PLENTY_OF_TIME,
        1,
    )
    .await
    .unwrap();

    assert_eq!(open.returned, [0], "further events may be dropped for it");
    let after = sync.record(organization).await.unwrap();
    assert_eq!(after.checked_at, before.checked_at);
    assert!(
        after.next_check_at < before.next_check_at && after.next_check_at <= now(),
        "{}",
        after.next_check_at
    );
}

/// The message of an event whose window is not over during the test.
fn event_that_lasts(organization: &ListedOrganization) -> String {
    let now = now();
    let (request, _) = SyncRequest::for_event(organization.id.clone(), "event", now);
    body(&SyncRequest {
        as_of: now,
        events_until: Some(now + SignedDuration::from_mins(2)),
        ..request
    })
}

/// The message of an event that was received at this time.
fn event(organization: &ListedOrganization, received_at: Timestamp) -> String {
    let (request, _) = SyncRequest::for_event(organization.id.clone(), "event", received_at);
    body(&request)
}
