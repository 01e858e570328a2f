//! Snapshots of the sandbox's organizations, read over HTTP.

use std::{sync::Arc, time::Duration};

use bill::{BillClient, Credentials, OrganizationOrder};
use engagement::{ListedOrganization, Name, Stage, decide};
use jiff::SignedDuration;
use runtime::{ClassifiedError, ErrorType};
use sandbox::{Fault, FaultKind, Options, Population, Sandbox};
use tokio::time::Instant;

use super::*;
use crate::error::FailureAction;

fn bill(sandbox: &Sandbox) -> BillClient {
    let credentials: Credentials =
        Credentials::from_json(&sandbox.credentials().to_json()).unwrap();
    BillClient::new(
        sandbox.url().parse().unwrap(),
        bill::http_client().unwrap(),
        Arc::new(credentials),
    )
}

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

async fn read_snapshot(
    bill: &BillClient,
    listed: &bill::Organization,
    previous: Option<&Organization>,
    as_of: Timestamp,
) -> (Result<Snapshot, SyncError>, u64) {
    let id: OrganizationId = listed.id.as_deref().unwrap().parse().unwrap();
    let organization = ListedOrganization {
        id: id.clone(),
        name: listed.name.as_ref().map(|_| Name::new("anything")),
        archived: listed.archived.unwrap_or(false),
        created_at: listed.created_time,
    };

    let calls = bill.organization(id.as_str(), deadline());
    let snapshot = SnapshotReader {
        calls: &calls,
        id: &id,
        previous,
        rules: &Rules::default(),
        cause: SyncCause::Schedule,
        as_of,
        metrics: &Metrics::to_writer("test", "local", std::io::sink()),
    }
    .read(snapshot::listed_snapshot(&organization, None, false))
    .await;

    (snapshot, calls.requests())
}

/// The second sync reads less than the first, and decides as if it had read everything.
#[tokio::test]
async fn every_sandbox_scenario_is_classified_as_expected() {
    let options = Options {
        population: Population {
            organizations: 80,
            seed: 3,
            bad_records: true,
        },
        ..Options::default()
    };
    let as_of = options.clock;
    let later = as_of + SignedDuration::from_millis(1);
    let sandbox = Sandbox::start(options).await.unwrap();
    let bill = bill(&sandbox);
    let expectations = sandbox.expectations(as_of);
    let page = bill
        .organizations_page(OrganizationOrder::OldestFirst, None, deadline())
        .await
        .unwrap();

    let mut synced = 0;
    for listed in page
        .rows
        .iter()
        .filter(|row| row.id.is_some() && row.archived != Some(true))
    {
        let expected = expectations
            .iter()
            .find(|expectation| expectation.organization_id == listed.id)
            .unwrap();
        let decide = |previous: Option<&Organization>, snapshot: &Snapshot, as_of| {
            let id = listed.id.as_deref().unwrap().parse().unwrap();
            let decision = decide(&id, previous, snapshot, &Rules::default(), as_of);
            decision.organization
        };

        let (snapshot, first_requests) = read_snapshot(&bill, listed, None, as_of).await;
        let snapshot = snapshot.unwrap_or_else(|error| panic!("{}: {error}", expected.scenario));
        let record = decide(None, &snapshot, as_of);
        assert_eq!(
            (
                Some(record.stage.to_string()),
                Some(record.stage_reason.to_string())
            ),
            (
                expected.expected_stage.clone(),
                expected.expected_reason.clone()
            ),
            "{}",
            expected.scenario
        );

        let (snapshot, requests) = read_snapshot(&bill, listed, Some(&record), later).await;
        let again = decide(Some(&record), &snapshot.unwrap(), later);
        assert_eq!(
            (again.stage, again.stage_reason, again.contacts),
            (record.stage, record.stage_reason, record.contacts),
            "{}",
            expected.scenario
        );
        if record.users > 0 {
            let fewer = if record.stage == Stage::Active { 2 } else { 1 };
            assert_eq!(requests + fewer, first_requests, "{}", expected.scenario);
        }
        synced += 1;
    }

    assert!(synced > 60, "{synced}");
}

fn failing(endpoint: &str, status: u16, code: &str) -> Fault {
    let kind = FaultKind::Status {
        status,
        code: Some(code.to_owned()),
        retry_after: None,
    };
    Fault {
        endpoint: Some(endpoint.to_owned()),
        organization_id: None,
        kind,
        times: None,
    }
}

#[tokio::test]
async fn only_a_refused_organization_is_retried_the_next_day() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let bill = bill(&sandbox);
    let page = bill
        .organizations_page(OrganizationOrder::OldestFirst, None, deadline())
        .await
        .unwrap();
    let active = sandbox
        .expectations(sandbox.now())
        .into_iter()
        .find(|it| it.expected_stage.as_deref() == Some("active"))
        .unwrap();
    let listed = page
        .rows
        .iter()
        .find(|row| row.id == active.organization_id)
        .unwrap();

    for (status, code, error_type, is_next_day) in [
        (422, "BDC_9999", "bill_refused", true),
        (403, "BDC_1361", "bill_untrusted_session", true),
        (422, "BDC_1144", "bill_hour_exhausted", false),
    ] {
        sandbox.clear_faults();
        sandbox.add_fault(failing("loginAsUser", status, code));
        let (snapshot, _) = read_snapshot(&bill, listed, None, sandbox.now()).await;
        let error = snapshot.unwrap_err();

        assert_eq!(error.error_type().name(), error_type);
        assert_eq!(
            matches!(error.failure_action(), FailureAction::RetryNextDay),
            is_next_day,
            "{error_type}"
        );
        assert_eq!(error.exhausts_hour(), code == "BDC_1144");
    }
}

#[tokio::test]
async fn a_bill_timeout_is_a_transient_failure() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let listed = bill(&sandbox)
        .organizations_page(OrganizationOrder::OldestFirst, None, deadline())
        .await
        .unwrap()
        .rows
        .remove(0);
    let calls = bill(&sandbox).organization(&listed.id.unwrap(), Instant::now());
    let error = SyncError::from(calls.users().await.unwrap_err());

    assert_eq!(error.error_type(), ErrorType::BillDeadline);
    assert!(matches!(error.failure_action(), FailureAction::LeaveDue) && error.is_transient());
}
