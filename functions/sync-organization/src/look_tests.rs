//! Looks at the sandbox's organizations over HTTP.

use std::{sync::Arc, time::Duration};

use bill::{Bill, Credentials};
use engagement::{ListedOrganization, Name, classify};
use jiff::Timestamp;
use sandbox::{Fault, FaultKind, Options, Population, Sandbox};
use tokio::time::Instant;

use super::*;

fn bill(sandbox: &Sandbox) -> Bill {
    let credentials: Credentials = serde_json::from_str(&sandbox.credentials().to_json()).unwrap();
    Bill::new(
        sandbox.url().parse().unwrap(),
        bill::http_client().unwrap(),
        Arc::new(credentials),
    )
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

async fn look(
    bill: &Bill,
    listed: &bill::Organization,
    contacts: &[UserId],
    as_of: Timestamp,
) -> (Result<Snapshot, SyncError>, u64) {
    let id = listed.id.clone().unwrap();
    let organization = ListedOrganization {
        id: id.parse().unwrap(),
        name: listed.name.as_ref().map(|_| Name::new("anything")),
        archived: listed.archived.unwrap_or(false),
        created_at: listed.created_time,
    };
    let request = SyncRequest {
        schema_version: 1,
        run_id: "test".to_owned(),
        organization,
        as_of,
        all: false,
        events_until: None,
    };
    let calls = bill.organization(&id, soon());
    let signals = Look {
        calls: &calls,
        request: &request,
        contacts,
    }
    .signals(&Metrics::to_writer("test", "local", std::io::sink()))
    .await;
    (signals, calls.requests())
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
    let expectations = sandbox.population(as_of);
    let page = bill.organizations(None, soon()).await.unwrap();
    let mut looked_at = 0;
    for listed in page
        .rows
        .iter()
        .filter(|row| row.id.is_some() && row.archived != Some(true))
    {
        let expected = expectations
            .iter()
            .find(|expectation| expectation.organization_id == listed.id)
            .unwrap();
        let (signals, _) = look(&bill, listed, &[], as_of).await;
        let signals = signals.unwrap_or_else(|error| panic!("{}: {error}", expected.scenario));
        let (stage, reason) = classify(&signals, as_of);
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
        let contacts: Vec<UserId> = signals
            .sign_in_candidates()
            .into_iter()
            .map(|user| user.id.clone())
            .collect();
        let (again, _) = look(&bill, listed, &contacts, as_of).await;
        assert_eq!(
            again.unwrap(),
            signals,
            "a known user changes what is seen: {}",
            expected.scenario
        );
        looked_at += 1;
    }
    assert!(looked_at > 60, "{looked_at}");
}

#[tokio::test]
async fn another_user_signs_in_when_the_known_one_is_refused() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let bill = bill(&sandbox);
    let page = bill.organizations(None, soon()).await.unwrap();
    let payer = sandbox
        .population(sandbox.now())
        .into_iter()
        .find(|it| it.expected_stage.as_deref() == Some("active"))
        .unwrap();
    let listed = page
        .rows
        .iter()
        .find(|row| row.id == payer.organization_id)
        .unwrap();
    let gone: UserId = "00602GONE00000000001".parse().unwrap();
    let (signals, _) = look(&bill, listed, std::slice::from_ref(&gone), sandbox.now()).await;
    assert_eq!(
        classify(&signals.unwrap(), sandbox.now()).0,
        engagement::Stage::Active
    );

    // How BILL refuses a user who is gone is unknown. At first in the session there is, then in a
    // new one.
    sandbox.fault(Fault {
        times: Some(2),
        ..failing("loginAsUser", 401, "BDC_9999")
    });
    let (signals, _) = look(&bill, listed, &[gone], sandbox.now()).await;
    assert_eq!(
        classify(&signals.unwrap(), sandbox.now()).0,
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
    let page = bill.organizations(None, soon()).await.unwrap();
    let population = sandbox.population(sandbox.now());
    let is_enrolling = |row: &&bill::Organization| {
        population.iter().any(|it| {
            it.organization_id == row.id && it.expected_stage.as_deref() == Some("enrolling")
        })
    };
    let mut refused = 0;
    for listed in page.rows.iter().filter(is_enrolling) {
        sandbox.clear_faults();
        let shown = look(&bill, listed, &[], sandbox.now()).await.0.unwrap();
        sandbox.fault(failing("getRiskVerifications", 422, "BDC_9999"));
        let not_shown = look(&bill, listed, &[], sandbox.now()).await.0.unwrap();
        assert_eq!(
            not_shown.verification,
            shown.verification.map(|_| Verification::NotStarted)
        );
        refused += usize::from(not_shown.verification.is_some());
    }
    assert!(refused > 0, "nobody's verification is asked for");
}

#[tokio::test]
async fn an_active_organization_takes_four_requests() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let bill = bill(&sandbox);
    let page = bill.organizations(None, soon()).await.unwrap();
    let payer = sandbox
        .population(sandbox.now())
        .into_iter()
        .find(|it| it.scenario == "active" || it.expected_stage.as_deref() == Some("active"))
        .unwrap();
    let listed = page
        .rows
        .iter()
        .find(|row| row.id == payer.organization_id)
        .unwrap();
    let (signals, requests) = look(&bill, listed, &[], sandbox.now()).await;
    assert!(signals.is_ok());
    assert_eq!(requests, 4, "users, sign-in, bank accounts, payments");
}

#[tokio::test]
async fn only_a_refused_organization_is_retried_the_next_day() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let bill = bill(&sandbox);
    let page = bill.organizations(None, soon()).await.unwrap();
    let payer = sandbox
        .population(sandbox.now())
        .into_iter()
        .find(|it| it.expected_stage.as_deref() == Some("active"))
        .unwrap();
    let listed = page
        .rows
        .iter()
        .find(|row| row.id == payer.organization_id)
        .unwrap();
    for (status, code, error_type, is_tomorrow) in [
        (422, "BDC_9999", "bill_refused", true),
        (403, "BDC_1361", "bill_untrusted_session", true),
        (422, "BDC_1144", "bill_hour_exhausted", false),
    ] {
        sandbox.clear_faults();
        sandbox.fault(failing("loginAsUser", status, code));
        let (signals, _) = look(&bill, listed, &[], sandbox.now()).await;
        let error = signals.unwrap_err();
        assert_eq!(error.error_type(), error_type);
        assert_eq!(
            matches!(error.remedy(), FailureAction::Tomorrow),
            is_tomorrow,
            "{error_type}"
        );
        assert_eq!(error.exhausts_hour(), code == "BDC_1144");
    }
}

#[tokio::test]
async fn a_bill_timeout_is_a_transient_failure() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let listed = bill(&sandbox)
        .organizations(None, soon())
        .await
        .unwrap()
        .rows
        .remove(0);
    let calls = bill(&sandbox).organization(&listed.id.unwrap(), Instant::now());
    let error = SyncError::from(calls.users().await.unwrap_err());
    assert_eq!(error.error_type(), "bill_deadline");
    assert!(
        matches!(error.remedy(), FailureAction::NextSweep)
            && error.is_transient()
            && error.is_about_organization()
    );
}
