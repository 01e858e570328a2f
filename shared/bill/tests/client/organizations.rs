//! The calls about one organization.

use bill::{BankAccountStatus, PaymentStatus, RiskDecision, RoleType};
use errors::ClassifiedError;
use sandbox::{BankAccount, Organization, PaymentSeries, RowDefect, Switches, Verification};
use secrecy::ExposeSecret;

use crate::{
    scripted_server::{ScriptedServer, reply},
    support::{any_organization, client, sandbox, test_deadline},
};

#[tokio::test]
async fn all_calls_return_what_the_sandbox_holds() {
    let sandbox = sandbox(Switches::default()).await;
    let now = sandbox.now();
    let (organization_id, user_id) = any_organization(&sandbox);
    let organization = sandbox.organization(&organization_id).unwrap();
    sandbox.put_organization(Organization {
        bank_accounts: vec![
            BankAccount::new("VERIFIED", now),
            BankAccount::new("PENDING", now).archived(),
            BankAccount::new("SOMETHING_NEW", now),
        ],
        payments: vec![
            PaymentSeries::with_status("SCHEDULED", now),
            PaymentSeries {
                defect: RowDefect::AmountAsText,
                ..PaymentSeries::with_status("VOID", now)
            },
        ],
        verification: Some(Verification::new("HOLD")),
        ..organization
    });
    let bill = client(&sandbox);
    let organization_client = bill.organization(&organization_id, test_deadline());
    let (users, signed_in) = tokio::join!(
        organization_client.users(),
        organization_client.sign_in(&user_id)
    );
    signed_in.unwrap();
    let me = users
        .unwrap()
        .rows
        .into_iter()
        .find(|user| user.id.as_deref() == Some(&user_id))
        .unwrap();

    assert_eq!(me.archived, Some(false));
    assert!(me.email.unwrap().expose_secret().contains('@'));
    assert!(!matches!(
        me.role.unwrap().kind,
        None | Some(RoleType::Other(_))
    ));

    let mut statuses: Vec<_> = organization_client
        .bank_accounts()
        .await
        .unwrap()
        .rows
        .into_iter()
        .map(|bank| (bank.status.unwrap(), bank.archived))
        .collect();
    statuses.sort_by_key(|(status, _)| format!("{status:?}"));
    let new = BankAccountStatus::Other("SOMETHING_NEW".to_owned());

    assert_eq!(
        statuses,
        [
            (new, Some(false)),
            (BankAccountStatus::Pending, Some(true)),
            (BankAccountStatus::Verified, Some(false))
        ]
    );

    let payments = organization_client.payments_page(None).await.unwrap().rows;
    assert!(
        payments
            .iter()
            .any(|payment| payment.status == Some(PaymentStatus::Scheduled))
    );
    assert!(
        payments
            .iter()
            .all(|payment| payment.amount == "412.50".parse().ok()),
        "{payments:?}"
    );
    assert_eq!(
        organization_client
            .risk_verification()
            .await
            .unwrap()
            .unwrap()
            .decision,
        Some(RiskDecision::Hold)
    );

    // Partner sign-in, users, sign-in as a user, bank accounts, payments, risk verification.
    assert_eq!(
        (
            organization_client.requests(),
            organization_client.sign_ins()
        ),
        (6, 2)
    );
    assert_eq!((bill.requests(), bill.sign_ins()), (6, 2));
    assert_eq!(sandbox.statistics().requests, 6);
}

#[tokio::test]
async fn find_in_list_ignores_rows_of_other_organizations() {
    let sandbox = sandbox(Switches::default()).await;
    let (organization_id, _) = any_organization(&sandbox);
    let organization = sandbox.organization(&organization_id).unwrap();
    sandbox.put_organization(Organization {
        archived: true,
        ..organization
    });
    let bill = client(&sandbox);
    let row = bill
        .organization(&organization_id, test_deadline())
        .find_in_list()
        .await
        .unwrap()
        .unwrap();

    assert_eq!(
        (row.id.as_deref(), row.archived),
        (Some(&*organization_id), Some(true))
    );
    assert!(row.created_time.is_some());
    assert!(
        bill.organization("00801NOBODY", test_deadline())
            .find_in_list()
            .await
            .unwrap()
            .is_none()
    );

    let filter_ignored = r#"{"results":[{"id":"008OTHER"},{"id":"008ORG"},{"id":"008ANOTHER"}]}"#;
    let server = ScriptedServer::start([
        reply(200, filter_ignored),
        reply(200, r#"{"results":[{"id":"008OTHER"}]}"#),
    ])
    .await;
    let bill = server.client();
    let row = bill
        .organization("008ORG", test_deadline())
        .find_in_list()
        .await
        .unwrap();

    assert_eq!(
        row.unwrap().id.as_deref(),
        Some("008ORG"),
        "BILL ignores the filter"
    );
    assert!(
        bill.organization("008ORG", test_deadline())
            .find_in_list()
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn another_user_can_sign_in_after_a_refused_one() {
    let sandbox = sandbox(Switches::default()).await;
    let (organization_id, user_id) = any_organization(&sandbox);
    let organization_client = client(&sandbox).organization(&organization_id, test_deadline());
    let error = organization_client
        .sign_in("00602NOBODY")
        .await
        .unwrap_err();

    assert_eq!(error.error_type().name(), "bill_refused");
    assert!(!error.to_string().contains("NOBODY"), "{error}");

    organization_client.sign_in(&user_id).await.unwrap();
    organization_client.bank_accounts().await.unwrap();
}
