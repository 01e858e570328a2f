//! Credentials that BILL rejects are sent as rarely as possible.

use std::{sync::Arc, time::Duration};

use bill::{CredentialError, Credentials, ErrorKind, OrganizationOrder};
use errors::ClassifiedError;
use futures::future::join_all;
use rstest::rstest;
use sandbox::{FaultKind, Sandbox, Switches};

use crate::support::{
    FailingCredentialSource, RotatingCredentials, advance_clock, any_organization, client,
    client_with, credentials, inject_fault, request_count, sandbox, status_fault, test_deadline,
};

fn credentials_with_wrong(sandbox: &Sandbox, field: &str) -> Credentials {
    let mut secret: serde_json::Value =
        serde_json::from_str(&sandbox.credentials().to_json()).unwrap();
    secret[field] = "wrong".into();
    Credentials::from_json(&secret.to_string()).unwrap()
}

#[tokio::test]
async fn rejected_credentials_are_sent_once_for_every_error_status() {
    for status in [400, 401, 403, 422] {
        for (field, code) in [
            ("username", "BDC_1101"),
            ("password", "BDC_1101"),
            ("appKey", "BDC_1102"),
        ] {
            let sandbox = sandbox(Switches {
                bad_login_status: status,
                bad_key_status: status,
                ..Switches::default()
            })
            .await;
            let source = RotatingCredentials::new(
                credentials_with_wrong(&sandbox, field),
                credentials_with_wrong(&sandbox, field),
            );
            let bill = client_with(&sandbox.url(), source.clone());
            for outcome in join_all((0..10).map(|_| {
                bill.organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
            }))
            .await
            {
                let error = outcome.unwrap_err();
                assert!(
                    error.is_bad_credentials() && !error.is_retryable(),
                    "{error}"
                );
                assert_eq!(
                    (error.status(), error.codes()[0].as_str()),
                    (Some(status), code)
                );
                assert_eq!(error.error_type().name(), "bill_bad_credentials");
            }
            let (organization_id, user_id) = any_organization(&sandbox);
            assert!(
                bill.organization(&organization_id, test_deadline())
                    .sign_in(&user_id)
                    .await
                    .unwrap_err()
                    .is_bad_credentials()
            );
            assert_eq!(sandbox.statistics().requests, 1, "{field} {status}");
            assert_eq!(source.refreshes(), 1, "{field} {status}");
        }
    }
}

#[tokio::test]
async fn rotated_credentials_are_picked_up_at_once() {
    let sandbox = sandbox(Switches::default()).await;
    let source = RotatingCredentials::new(
        credentials_with_wrong(&sandbox, "password"),
        credentials(&sandbox),
    );
    let bill = client_with(&sandbox.url(), source.clone());

    for outcome in
        join_all((0..10).map(|_| {
            bill.organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
        }))
        .await
    {
        outcome.unwrap();
    }

    assert_eq!(sandbox.statistics().partner_logins, 2);
    assert_eq!(source.refreshes(), 1);
}

#[tokio::test]
async fn cached_and_refreshed_wrong_credentials_are_sent_once_each() {
    let sandbox = sandbox(Switches::default()).await;
    let bill = client_with(
        &sandbox.url(),
        RotatingCredentials::new(
            credentials_with_wrong(&sandbox, "password"),
            credentials_with_wrong(&sandbox, "username"),
        ),
    );

    for _ in 0..3 {
        assert!(
            bill.organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
                .await
                .unwrap_err()
                .is_bad_credentials()
        );
    }

    assert_eq!(sandbox.statistics().partner_logins, 2);
}

#[tokio::test]
async fn wrong_developer_key_stops_every_organization() {
    let sandbox = sandbox(Switches::default()).await;
    let source = RotatingCredentials::new(
        credentials_with_wrong(&sandbox, "devKey"),
        credentials_with_wrong(&sandbox, "devKey"),
    );
    let bill = client_with(&sandbox.url(), source.clone());
    let (organization_id, user_id) = any_organization(&sandbox);
    let organization_client = bill.organization(&organization_id, test_deadline());
    organization_client.sign_in(&user_id).await.unwrap();
    let error = organization_client.bank_accounts().await.unwrap_err();

    assert!(error.is_bad_credentials(), "{error}");
    assert_eq!(source.refreshes(), 1);

    sandbox.reset_statistics();
    let other_client = bill.organization(&organization_id, test_deadline());

    assert!(
        other_client
            .sign_in(&user_id)
            .await
            .unwrap_err()
            .is_bad_credentials()
    );
    assert!(other_client.users().await.unwrap_err().is_bad_credentials());
    assert_eq!(sandbox.statistics().requests, 0);
}

#[tokio::test]
async fn rotated_developer_key_is_used_within_one_organization() {
    let sandbox = sandbox(Switches::default()).await;
    let bill = client_with(
        &sandbox.url(),
        RotatingCredentials::new(
            credentials_with_wrong(&sandbox, "devKey"),
            credentials(&sandbox),
        ),
    );
    let (organization_id, user_id) = any_organization(&sandbox);
    let organization_client = bill.organization(&organization_id, test_deadline());
    organization_client.sign_in(&user_id).await.unwrap();
    let (banks, payments) = tokio::join!(
        organization_client.bank_accounts(),
        organization_client.payments_page(None)
    );
    banks.unwrap();
    payments.unwrap();

    assert_eq!(sandbox.statistics().partner_logins, 2);
    assert_eq!(sandbox.statistics().sign_ins, 2);
}

#[tokio::test]
async fn credentials_rejected_by_a_list_call_are_remembered() {
    let sandbox = sandbox(Switches::default()).await;
    let bill = client(&sandbox);
    inject_fault(
        &sandbox,
        "listPartnerOrganizations",
        status_fault(400, "BDC_1102"),
        None,
    );

    for _ in 0..3 {
        assert!(
            bill.organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
                .await
                .unwrap_err()
                .is_bad_credentials()
        );
    }

    assert_eq!(request_count(&sandbox, "listPartnerOrganizations"), 1);
    assert_eq!(sandbox.statistics().partner_logins, 1);
}

#[tokio::test]
async fn error_text_of_the_credential_source_is_kept() {
    let sandbox = sandbox(Switches::default()).await;

    for (reason, is_retryable) in [
        (
            CredentialError::permanent("secret bill/credentials is empty"),
            false,
        ),
        (CredentialError::transient("throttled"), true),
    ] {
        let bill = client_with(
            &sandbox.url(),
            Arc::new(FailingCredentialSource(reason.clone())),
        );
        let error = bill
            .organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("partnerLogin: credentials cannot be read, {reason}")
        );
        assert_eq!(
            (error.kind(), error.error_type().name()),
            (
                ErrorKind::CredentialsUnreadable,
                "bill_credentials_unreadable"
            )
        );
        assert_eq!(error.is_retryable(), is_retryable);
    }

    assert_eq!(sandbox.statistics().requests, 0);
}

/// A refusal that BILL does not document lasts as long; a failure of another kind does not.
#[rstest]
#[case::refused(status_fault(403, "BDC_9999"), ErrorKind::Refused, 5 * 60)]
#[case::firewall(FaultKind::Html { status: 403 }, ErrorKind::BadAnswer, 30)]
#[tokio::test]
async fn a_sign_in_that_failed_is_not_repeated_with_every_call(
    #[case] fault: FaultKind,
    #[case] kind: ErrorKind,
    #[case] seconds: u64,
) {
    let sandbox = sandbox(Switches::default()).await;
    let bill = client(&sandbox);
    inject_fault(&sandbox, "partnerLogin", fault, 1);

    for elapsed in [0, seconds - 2] {
        advance_clock(Duration::from_secs(elapsed)).await;
        let page = bill.organizations_page(OrganizationOrder::OldestFirst, None, test_deadline());
        let error = page.await.unwrap_err();
        assert_eq!((error.kind(), error.is_of_partner_login()), (kind, true));
    }
    assert_eq!(sandbox.statistics().partner_logins, 1);

    advance_clock(Duration::from_secs(3)).await;
    bill.organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
        .await
        .unwrap();
}

#[tokio::test]
async fn rejected_credentials_are_retried_after_five_minutes() {
    let sandbox = sandbox(Switches::default()).await;
    let bill = client(&sandbox);
    inject_fault(&sandbox, "partnerLogin", status_fault(401, "BDC_1101"), 1);

    for minutes in [0, 4] {
        advance_clock(Duration::from_mins(minutes)).await;
        assert!(
            bill.organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
                .await
                .unwrap_err()
                .is_bad_credentials()
        );
    }

    assert_eq!(sandbox.statistics().partner_logins, 1);

    advance_clock(Duration::from_mins(2)).await;
    bill.organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
        .await
        .unwrap();
}
