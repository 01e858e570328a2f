//! Sign-ins, and sessions that expire between calls.

use std::time::Duration;

use bill::{ErrorKind, OrganizationOrder};
use futures::future::join_all;
use jiff::SignedDuration;
use sandbox::{FaultKind, Switches};

use crate::support::{
    advance_clock, any_organization, client, deadline_in_ms, inject_fault, request_count, sandbox,
    status_fault, test_deadline,
};

#[tokio::test]
async fn concurrent_callers_share_one_sign_in() {
    let sandbox = sandbox(Switches {
        latency_ms: 50,
        ..Switches::default()
    })
    .await;
    let bill = client(&sandbox);

    for outcome in
        join_all((0..10).map(|_| {
            bill.organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
        }))
        .await
    {
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
    bill.organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
        .await
        .unwrap();
    sandbox.advance(SignedDuration::from_mins(40));
    sandbox.reset_statistics();

    for outcome in
        join_all((0..10).map(|_| {
            bill.organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
        }))
        .await
    {
        outcome.unwrap();
    }

    assert_eq!(sandbox.statistics().partner_logins, 1);
    assert_eq!(request_count(&sandbox, "listPartnerOrganizations"), 20);
}

#[tokio::test]
async fn bare_401_renews_the_session() {
    let sandbox = sandbox(Switches::default()).await;
    let bill = client(&sandbox);
    inject_fault(
        &sandbox,
        "listPartnerOrganizations",
        FaultKind::Html { status: 401 },
        1,
    );
    bill.organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
        .await
        .unwrap();

    assert_eq!(sandbox.statistics().partner_logins, 2);
}

#[tokio::test]
async fn session_expired_twice_is_an_error_after_one_retry() {
    let sandbox = sandbox(Switches::default()).await;
    inject_fault(
        &sandbox,
        "listPartnerOrganizations",
        status_fault(401, "BDC_1109"),
        None,
    );
    let error = client(&sandbox)
        .organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
        .await
        .unwrap_err();

    assert!(
        error.is_session_expired() && error.is_retryable(),
        "{error}"
    );
    assert_eq!(request_count(&sandbox, "listPartnerOrganizations"), 2);
    assert_eq!(sandbox.statistics().partner_logins, 2);
}

#[tokio::test]
async fn user_sign_in_renews_an_expired_partner_session() {
    let sandbox = sandbox(Switches::default()).await;
    let bill = client(&sandbox);
    let (organization_id, user_id) = any_organization(&sandbox);
    bill.organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
        .await
        .unwrap();
    sandbox.end_sessions();
    let organization_client = bill.organization(&organization_id, test_deadline());
    organization_client.sign_in(&user_id).await.unwrap();
    organization_client.bank_accounts().await.unwrap();

    assert_eq!(sandbox.statistics().partner_logins, 2);
    // Rejected user sign-in, partner sign-in, user sign-in, bank accounts.
    assert_eq!(
        (
            organization_client.requests(),
            organization_client.sign_ins()
        ),
        (4, 3)
    );
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
    let organization_client = bill.organization(&organization_id, test_deadline());
    organization_client.sign_in(&user_id).await.unwrap();
    sandbox.end_sessions();
    sandbox.reset_statistics();

    let (banks, payments, verification) = tokio::join!(
        organization_client.bank_accounts(),
        organization_client.payments_page(None),
        organization_client.risk_verification()
    );
    banks.unwrap();
    payments.unwrap();
    verification.unwrap();
    let statistics = sandbox.statistics();

    assert_eq!(statistics.partner_logins, 1);
    // The first is rejected because the partner's session is expired too.
    assert_eq!(statistics.sign_ins, 2);
}

#[tokio::test]
async fn organization_session_expired_twice_is_an_error() {
    let sandbox = sandbox(Switches::default()).await;
    let (organization_id, user_id) = any_organization(&sandbox);
    let organization_client = client(&sandbox).organization(&organization_id, test_deadline());
    organization_client.sign_in(&user_id).await.unwrap();
    inject_fault(
        &sandbox,
        "listPayments",
        status_fault(401, "BDC_1109"),
        None,
    );
    let error = organization_client.payments_page(None).await.unwrap_err();

    assert!(error.is_session_expired());
    assert_eq!(request_count(&sandbox, "listPayments"), 2);
    assert_eq!(sandbox.statistics().sign_ins, 2);
    assert_eq!(sandbox.statistics().partner_logins, 1);
}

#[tokio::test]
async fn call_before_sign_in_fails_without_a_request() {
    let sandbox = sandbox(Switches::default()).await;
    let (organization_id, _) = any_organization(&sandbox);
    let organization_client = client(&sandbox).organization(&organization_id, test_deadline());
    let error = organization_client.bank_accounts().await.unwrap_err();

    assert_eq!(
        error.to_string(),
        "listBankAccounts: session is not valid, not signed in"
    );
    assert_eq!(organization_client.requests(), 0);
}

#[tokio::test]
async fn waiting_callers_share_the_error_of_a_failed_sign_in() {
    let sandbox = sandbox(Switches {
        latency_ms: 20,
        ..Switches::default()
    })
    .await;
    let bill = client(&sandbox);
    inject_fault(&sandbox, "partnerLogin", status_fault(503, None), None);
    let outcomes =
        join_all((0..10).map(|_| {
            bill.organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
        }))
        .await;

    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.as_ref().unwrap_err().kind() == ErrorKind::Unavailable)
    );
    assert_eq!(sandbox.statistics().partner_logins, 5);

    sandbox.clear_faults();
    advance_clock(Duration::from_secs(31)).await;
    bill.organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
        .await
        .unwrap();
}

#[tokio::test]
async fn deadline_of_one_caller_does_not_fail_another() {
    let sandbox = sandbox(Switches::default()).await;
    let bill = client(&sandbox);
    inject_fault(
        &sandbox,
        "partnerLogin",
        FaultKind::Delay { milliseconds: 600 },
        1,
    );
    let short_deadline =
        bill.organizations_page(OrganizationOrder::OldestFirst, None, deadline_in_ms(200));
    let long_deadline = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        bill.organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
            .await
    };
    let (short_deadline, long_deadline) = tokio::join!(short_deadline, long_deadline);

    assert_eq!(short_deadline.unwrap_err().kind(), ErrorKind::Deadline);

    long_deadline.unwrap();
}

#[tokio::test]
async fn session_idle_for_30_minutes_is_replaced_before_use() {
    let sandbox = sandbox(Switches::default()).await;
    let bill = client(&sandbox);

    for minutes in [0, 29, 29, 31] {
        advance_clock(Duration::from_mins(minutes)).await;
        bill.organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
            .await
            .unwrap();
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
        let organization_client = bill.organization(&organization_id, test_deadline());
        bill.organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
            .await?;
        let (users, signed_in) = tokio::join!(
            organization_client.users(),
            organization_client.sign_in(&user_id)
        );
        users.and(signed_in)?;
        let (banks, payments, verification) = tokio::join!(
            organization_client.bank_accounts(),
            organization_client.payments_page(None),
            organization_client.risk_verification()
        );
        banks.and(payments)?;
        verification?;
        Ok::<_, bill::Error>(())
    });
    tokio::spawn(work).await.unwrap().unwrap();
}
