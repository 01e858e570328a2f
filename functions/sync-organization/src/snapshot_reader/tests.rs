//! Snapshots of the sandbox's organizations, read over HTTP.

use std::{sync::Arc, time::Duration};

use bill::{BillClient, Credentials, OrganizationOrder};
use engagement::{ListedOrganization, Name, classify};
use jiff::Timestamp;
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
    known_users: &[UserId],
    as_of: Timestamp,
) -> (Result<Snapshot, SyncError>, u64) {
    let id = listed.id.clone().unwrap();
    let organization = ListedOrganization {
        id: id.parse().unwrap(),
        name: listed.name.as_ref().map(|_| Name::new("anything")),
        archived: listed.archived.unwrap_or(false),
        created_at: listed.created_time,
    };

    let calls = bill.organization(&id, deadline());
    let snapshot = SnapshotReader {
        calls: &calls,
        listed: snapshot::listed_snapshot(&organization, None),
        as_of,
        known_users,
    }
    .read(&Metrics::to_writer("test", "local", std::io::sink()))
    .await;

    (snapshot, calls.requests())
}

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

        let (snapshot, _) = read_snapshot(&bill, listed, &[], as_of).await;
        let snapshot = snapshot.unwrap_or_else(|error| panic!("{}: {error}", expected.scenario));
        let (stage, reason) = classify(&snapshot, as_of);
        let found = (Some(stage.to_string()), Some(reason.to_string()));
        assert_eq!(
            found,
            (
                expected.expected_stage.clone(),
                expected.expected_reason.clone()
            ),
            "{}",
            expected.scenario
        );

        let known_users: Vec<UserId> = snapshot
            .sign_in_candidates()
            .into_iter()
            .map(|user| user.id.clone())
            .collect();
        let (again, _) = read_snapshot(&bill, listed, &known_users, as_of).await;
        assert_eq!(
            again.unwrap(),
            snapshot,
            "a known user changes the snapshot: {}",
            expected.scenario
        );
        synced += 1;
    }

    assert!(synced > 60, "{synced}");
}

#[tokio::test]
async fn another_user_signs_in_when_the_known_one_is_refused() {
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
    let unknown_user: UserId = "00602GONE00000000001".parse().unwrap();

    let (snapshot, _) = read_snapshot(
        &bill,
        listed,
        std::slice::from_ref(&unknown_user),
        sandbox.now(),
    )
    .await;
    assert_eq!(
        classify(&snapshot.unwrap(), sandbox.now()).0,
        engagement::Stage::Active
    );

    // BILL does not document how it rejects an unknown user. The first fault applies to the
    // existing session, the second one to a new session.
    sandbox.add_fault(Fault {
        times: Some(2),
        ..failing("loginAsUser", 401, "BDC_9999")
    });
    let (snapshot, _) = read_snapshot(&bill, listed, &[unknown_user], sandbox.now()).await;
    assert_eq!(
        classify(&snapshot.unwrap(), sandbox.now()).0,
        engagement::Stage::Active
    );
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
async fn a_refused_verification_counts_as_not_started() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let bill = bill(&sandbox);
    let page = bill
        .organizations_page(OrganizationOrder::OldestFirst, None, deadline())
        .await
        .unwrap();
    let population = sandbox.expectations(sandbox.now());
    let is_enrolling = |row: &&bill::Organization| {
        population.iter().any(|it| {
            it.organization_id == row.id && it.expected_stage.as_deref() == Some("enrolling")
        })
    };

    let mut rejected = 0;
    for listed in page.rows.iter().filter(is_enrolling) {
        sandbox.clear_faults();
        let with_access = read_snapshot(&bill, listed, &[], sandbox.now())
            .await
            .0
            .unwrap();
        sandbox.add_fault(failing("getRiskVerifications", 422, "BDC_9999"));
        let without_access = read_snapshot(&bill, listed, &[], sandbox.now())
            .await
            .0
            .unwrap();

        assert_eq!(
            without_access.verification,
            with_access.verification.map(|_| Verification::NotStarted)
        );
        rejected += usize::from(without_access.verification.is_some());
    }

    assert!(rejected > 0, "no verification was read");
}

#[tokio::test]
async fn an_active_organization_takes_four_requests() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let bill = bill(&sandbox);
    let page = bill
        .organizations_page(OrganizationOrder::OldestFirst, None, deadline())
        .await
        .unwrap();
    let active = sandbox
        .expectations(sandbox.now())
        .into_iter()
        .find(|it| it.scenario == "active" || it.expected_stage.as_deref() == Some("active"))
        .unwrap();
    let listed = page
        .rows
        .iter()
        .find(|row| row.id == active.organization_id)
        .unwrap();

    let (snapshot, requests) = read_snapshot(&bill, listed, &[], sandbox.now()).await;

    assert!(snapshot.is_ok());
    assert_eq!(requests, 4, "users, sign-in, bank accounts, payments");
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
        let (snapshot, _) = read_snapshot(&bill, listed, &[], sandbox.now()).await;
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
