//! Sessions that end in the middle of the work.

use std::time::Duration;

use bill::ErrorKind;
use futures::future::join_all;
use jiff::SignedDuration;
use sandbox::{FaultKind, Switches};

use crate::support::{any_organization, calls, client, fault, pass, sandbox, soon, status, within};

#[tokio::test]
async fn concurrent_callers_share_one_sign_in() {
    let sandbox = sandbox(Switches {
        latency_ms: 50,
        ..Switches::default()
    })
    .await;
    let bill = client(&sandbox);
    for outcome in join_all((0..10).map(|_| bill.organizations(None, soon()))).await {
        outcome.unwrap();
    }
    assert_eq!(sandbox.statistics().partner_logins, 1);
    assert_eq!(bill.sign_ins(), 1);
}

#[tokio::test]
async fn expired_session_is_renewed_once_for_concurrent_callers() {
    let sandbox = sandbox(Switches {
        latency_ms: 50,
        ..Switches::default()
    })
    .await;
    let bill = client(&sandbox);
    bill.organizations(None, soon()).await.unwrap();
    sandbox.advance(SignedDuration::from_mins(40));
    sandbox.reset_statistics();

    for outcome in join_all((0..10).map(|_| bill.organizations(None, soon()))).await {
        outcome.unwrap();
    }
    assert_eq!(sandbox.statistics().partner_logins, 1);
    assert_eq!(calls(&sandbox, "listPartnerOrganizations"), 20);
}

#[tokio::test]
async fn bare_401_renews_the_session() {
    let sandbox = sandbox(Switches::default()).await;
    let bill = client(&sandbox);
    fault(
        &sandbox,
        "listPartnerOrganizations",
        FaultKind::Html { status: 401 },
        1,
    );
    bill.organizations(None, soon()).await.unwrap();
    assert_eq!(sandbox.statistics().partner_logins, 2);
}

#[tokio::test]
async fn session_expired_twice_is_an_error_after_one_retry() {
    let sandbox = sandbox(Switches::default()).await;
    fault(
        &sandbox,
        "listPartnerOrganizations",
        status(401, "BDC_1109"),
        None,
    );
    let error = client(&sandbox)
        .organizations(None, soon())
        .await
        .unwrap_err();
    assert!(
        error.is_session_expired() && error.is_retryable(),
        "{error}"
    );
    assert_eq!(calls(&sandbox, "listPartnerOrganizations"), 2);
    assert_eq!(sandbox.statistics().partner_logins, 2);
}

#[tokio::test]
async fn user_sign_in_renews_an_expired_partner_session() {
    let sandbox = sandbox(Switches::default()).await;
    let bill = client(&sandbox);
    let (organization_id, user_id) = any_organization(&sandbox);
    bill.organizations(None, soon()).await.unwrap();
    sandbox.end_sessions();
    let calls = bill.organization(&organization_id, soon());
    calls.sign_in(&user_id).await.unwrap();
    calls.bank_accounts().await.unwrap();
    assert_eq!(sandbox.statistics().partner_logins, 2);
    // Sign-in refused, login, sign-in, banks.
    assert_eq!((calls.requests(), calls.sign_ins()), (4, 3));
}

#[tokio::test]
async fn expired_organization_session_is_renewed_once_for_concurrent_calls() {
    let sandbox = sandbox(Switches {
        latency_ms: 30,
        ..Switches::default()
    })
    .await;
    let bill = client(&sandbox);
    let (organization_id, user_id) = any_organization(&sandbox);
    let calls = bill.organization(&organization_id, soon());
    calls.sign_in(&user_id).await.unwrap();
    sandbox.end_sessions();
    sandbox.reset_statistics();

    let (banks, payments, verification) = tokio::join!(
        calls.bank_accounts(),
        calls.payments_page(None),
        calls.risk_verification()
    );
    banks.unwrap();
    payments.unwrap();
    verification.unwrap();
    let statistics = sandbox.statistics();
    assert_eq!(statistics.partner_logins, 1);
    // One refused for the partner's own session, one granted.
    assert_eq!(statistics.sign_ins, 2);
}

#[tokio::test]
async fn organization_session_expired_twice_is_an_error() {
    let sandbox = sandbox(Switches::default()).await;
    let (organization_id, user_id) = any_organization(&sandbox);
    let scope = client(&sandbox).organization(&organization_id, soon());
    scope.sign_in(&user_id).await.unwrap();
    fault(&sandbox, "listPayments", status(401, "BDC_1109"), None);
    let error = scope.payments_page(None).await.unwrap_err();
    assert!(error.is_session_expired());
    assert_eq!(calls(&sandbox, "listPayments"), 2);
    assert_eq!(sandbox.statistics().sign_ins, 2);
    assert_eq!(sandbox.statistics().partner_logins, 1);
}

#[tokio::test]
async fn call_before_sign_in_fails_without_a_request() {
    let sandbox = sandbox(Switches::default()).await;
    let (organization_id, _) = any_organization(&sandbox);
    let scope = client(&sandbox).organization(&organization_id, soon());
    let error = scope.bank_accounts().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "listBankAccounts: session is not valid, nobody signed in"
    );
    assert_eq!(scope.requests(), 0);
}

#[tokio::test]
async fn waiting_callers_share_the_error_of_a_failed_sign_in() {
    let sandbox = sandbox(Switches {
        latency_ms: 20,
        ..Switches::default()
    })
    .await;
    let bill = client(&sandbox);
    fault(&sandbox, "partnerLogin", status(503, None), None);
    let outcomes = join_all((0..10).map(|_| bill.organizations(None, soon()))).await;
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.as_ref().unwrap_err().kind() == ErrorKind::Unavailable)
    );
    assert_eq!(sandbox.statistics().partner_logins, 5);

    sandbox.clear_faults();
    bill.organizations(None, soon()).await.unwrap();
}

#[tokio::test]
async fn deadline_of_one_caller_does_not_fail_another() {
    let sandbox = sandbox(Switches::default()).await;
    let bill = client(&sandbox);
    fault(
        &sandbox,
        "partnerLogin",
        FaultKind::Delay { milliseconds: 600 },
        1,
    );
    let hasty = bill.organizations(None, within(200));
    let patient = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        bill.organizations(None, soon()).await
    };
    let (hasty, patient) = tokio::join!(hasty, patient);
    assert_eq!(hasty.unwrap_err().kind(), ErrorKind::Deadline);
    patient.unwrap();
}

#[tokio::test]
async fn log_out_ends_organization_and_partner_sessions() {
    let sandbox = sandbox(Switches::default()).await;
    let bill = client(&sandbox);
    let (organization_id, user_id) = any_organization(&sandbox);
    let scope = bill.organization(&organization_id, soon());
    scope.log_out().await.unwrap();
    bill.log_out(soon()).await.unwrap();
    assert_eq!(calls(&sandbox, "logout"), 0);

    scope.sign_in(&user_id).await.unwrap();
    scope.log_out().await.unwrap();
    bill.log_out(soon()).await.unwrap();
    assert_eq!(calls(&sandbox, "logout"), 2);
    assert!(sandbox.statistics().errors_by_code.is_empty());
    assert!(
        scope
            .bank_accounts()
            .await
            .unwrap_err()
            .is_session_expired()
    );
    bill.organizations(None, soon()).await.unwrap();

    sandbox.end_sessions();
    bill.log_out(soon()).await.unwrap();
}

#[tokio::test]
async fn session_idle_for_30_minutes_is_replaced_before_use() {
    let sandbox = sandbox(Switches::default()).await;
    let bill = client(&sandbox);
    for minutes in [0, 29, 29, 31] {
        pass(Duration::from_mins(minutes)).await;
        bill.organizations(None, soon()).await.unwrap();
    }
    assert_eq!(sandbox.statistics().partner_logins, 2);
    assert!(sandbox.statistics().errors_by_code.is_empty());
}

#[tokio::test]
async fn call_futures_are_send() {
    fn is_send<T: Send>(work: T) -> T {
        work
    }
    let sandbox = sandbox(Switches::default()).await;
    let (organization_id, user_id) = any_organization(&sandbox);
    let bill = client(&sandbox);
    let work = is_send(async move {
        let scope = bill.organization(&organization_id, soon());
        bill.organizations(None, soon()).await?;
        let (users, signed_in) = tokio::join!(scope.users(), scope.sign_in(&user_id));
        users.and(signed_in)?;
        let (banks, payments, verification) = tokio::join!(
            scope.bank_accounts(),
            scope.payments_page(None),
            scope.risk_verification()
        );
        banks.and(payments)?;
        verification?;
        scope.log_out().await?;
        bill.log_out(soon()).await
    });
    tokio::spawn(work).await.unwrap().unwrap();
}
