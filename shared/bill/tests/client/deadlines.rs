//! Calls end at the deadline of the caller.

use std::time::Duration;

use bill::{ErrorKind, OrganizationOrder};
use errors::ClassifiedError;
use sandbox::{FaultKind, Switches};
use tokio::time::Instant;

use crate::{
    scripted_server::{ScriptedServer, reply},
    support::{
        any_organization, client, deadline_in_ms, inject_fault, request_count, sandbox,
        test_deadline,
    },
};

#[tokio::test]
async fn slow_response_is_abandoned_at_the_deadline() {
    let sandbox = sandbox(Switches::default()).await;
    let bill = client(&sandbox);
    bill.organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
        .await
        .unwrap();
    inject_fault(
        &sandbox,
        "listPartnerOrganizations",
        FaultKind::Delay {
            milliseconds: 60_000,
        },
        None,
    );
    let started = Instant::now();
    let error = bill
        .organizations_page(OrganizationOrder::OldestFirst, None, deadline_in_ms(2_000))
        .await
        .unwrap_err();

    assert!(
        started.elapsed() < Duration::from_secs(30),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(
        error.to_string(),
        "listPartnerOrganizations: deadline exceeded \
         (last error: listPartnerOrganizations: BILL is unavailable, timed out)"
    );
    assert_eq!(error.error_type().name(), "bill_deadline");
    assert!(error.is_retryable());
}

#[tokio::test]
async fn retry_after_beyond_the_deadline_fails_immediately() {
    let sandbox = sandbox(Switches::default()).await;
    inject_fault(
        &sandbox,
        "listPartnerOrganizations",
        FaultKind::Status {
            status: 503,
            code: None,
            retry_after: Some(60),
        },
        None,
    );
    let started = Instant::now();
    let error = client(&sandbox)
        .organizations_page(OrganizationOrder::OldestFirst, None, deadline_in_ms(50_000))
        .await
        .unwrap_err();

    assert!(started.elapsed() < Duration::from_secs(30));
    assert_eq!(error.kind(), ErrorKind::Deadline);
    assert_eq!(
        (error.status(), error.retry_after()),
        (Some(503), Some(Duration::from_mins(1)))
    );
    assert_eq!(error.last_error().unwrap().kind(), ErrorKind::Unavailable);
    assert_eq!(request_count(&sandbox, "listPartnerOrganizations"), 1);

    let late = client(&sandbox)
        .organizations_page(OrganizationOrder::OldestFirst, None, Instant::now())
        .await
        .unwrap_err();
    assert_eq!(
        (late.kind(), late.last_error().is_none()),
        (ErrorKind::Deadline, true)
    );
}

#[tokio::test]
async fn deadline_while_waiting_for_a_permit_keeps_the_previous_error() {
    let sandbox = sandbox(Switches::default()).await;
    let bill = client(&sandbox);
    let (organization_id, user_id) = any_organization(&sandbox);
    let organization_client = bill.organization(&organization_id, deadline_in_ms(2_500));
    organization_client.sign_in(&user_id).await.unwrap();
    inject_fault(
        &sandbox,
        "listPayments",
        FaultKind::Status {
            status: 503,
            code: None,
            retry_after: Some(1),
        },
        1,
    );
    inject_fault(
        &sandbox,
        "listBankAccounts",
        FaultKind::Delay {
            milliseconds: 10_000,
        },
        None,
    );
    let slow = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        organization_client.bank_accounts().await
    };
    let other_slow = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        organization_client.bank_accounts().await
    };
    let (payments, slow, other_slow) =
        tokio::join!(organization_client.payments_page(None), slow, other_slow);
    let error = payments.unwrap_err();

    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Deadline, Some(503))
    );
    assert_eq!(slow.unwrap_err().kind(), ErrorKind::Deadline);
    assert_eq!(other_slow.unwrap_err().kind(), ErrorKind::Deadline);
    assert_eq!(request_count(&sandbox, "listPayments"), 1);
}

#[tokio::test]
async fn overflowing_retry_after_is_a_deadline_error() {
    let server =
        ScriptedServer::start([reply(503, "").header("retry-after", "18446744073709551615")]).await;
    let error = server
        .client()
        .organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
        .await
        .unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Deadline);
}
