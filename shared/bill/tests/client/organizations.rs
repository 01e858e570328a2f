//! The calls about one organization, and rows that break the contract.

use bill::{BankAccountStatus, Decision, PaymentStatus, RoleType};
use sandbox::{
    Bank, FaultKind, Organization, Payments, Shape, Switches, UnstartedVerification, User,
    Verification,
};
use secrecy::ExposeSecret;

use crate::{
    scripted::{Script, reply},
    support::{any_organization, client, fault, organization_with, sandbox, soon, status},
};

#[tokio::test]
async fn all_calls_return_what_the_sandbox_holds() {
    let sandbox = sandbox(Switches::default()).await;
    let now = sandbox.now();
    let (organization_id, user_id) = any_organization(&sandbox);
    let organization = sandbox.organization(&organization_id).unwrap();
    sandbox.put_organization(Organization {
        banks: vec![
            Bank::new("VERIFIED", now),
            Bank::new("PENDING", now).archived(),
            Bank::new("SOMETHING_NEW", now),
        ],
        payments: vec![
            Payments::with_status("SCHEDULED", now),
            Payments {
                shape: Shape::AmountAsText,
                ..Payments::with_status("VOID", now)
            },
        ],
        verification: Some(Verification::new("HOLD")),
        ..organization
    });
    let bill = client(&sandbox);
    let scope = bill.organization(&organization_id, soon());
    let (users, signed_in) = tokio::join!(scope.users(), scope.sign_in(&user_id));
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

    let mut statuses: Vec<_> = scope
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

    let payments = scope.payments_page(None).await.unwrap().rows;
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
        scope.risk_verification().await.unwrap().unwrap().decision,
        Some(Decision::Hold)
    );
    scope.log_out().await.unwrap();
    // Login, users, sign-in, banks, payments, verification, log-out.
    assert_eq!((scope.requests(), scope.sign_ins()), (7, 2));
    assert_eq!((bill.requests(), bill.sign_ins()), (7, 2));
    assert_eq!(sandbox.statistics().requests, 7);
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
        .organization(&organization_id, soon())
        .listed()
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (row.id.as_deref(), row.archived),
        (Some(&*organization_id), Some(true))
    );
    assert!(row.created_time.is_some());
    assert!(
        bill.organization("00801NOBODY", soon())
            .listed()
            .await
            .unwrap()
            .is_none()
    );

    let passed_over = r#"{"results":[{"id":"008OTHER"},{"id":"008ORG"},{"id":"008ANOTHER"}]}"#;
    let script = Script::start([
        reply(200, passed_over),
        reply(200, r#"{"results":[{"id":"008OTHER"}]}"#),
    ])
    .await;
    let bill = script.client();
    let row = bill.organization("008ORG", soon()).listed().await.unwrap();
    assert_eq!(
        row.unwrap().id.as_deref(),
        Some("008ORG"),
        "a filter that is passed over"
    );
    assert!(
        bill.organization("008ORG", soon())
            .listed()
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn unstarted_risk_verification_is_none() {
    for unstarted_verification in [
        UnstartedVerification::Empty,
        UnstartedVerification::NotFound,
    ] {
        let sandbox = sandbox(Switches {
            unstarted_verification,
            ..Switches::default()
        })
        .await;
        let (organization_id, user_id) = any_organization(&sandbox);
        let organization = sandbox.organization(&organization_id).unwrap();
        sandbox.put_organization(Organization {
            verification: None,
            ..organization
        });
        let scope = client(&sandbox).organization(&organization_id, soon());
        scope.sign_in(&user_id).await.unwrap();
        assert_eq!(scope.risk_verification().await.unwrap(), None);
    }
    let script = Script::start([reply(204, ""), reply(200, r#"{"referenceId":"r"}"#)]).await;
    let scope = script.client().organization("008ORG", soon());
    scope.sign_in("006USER").await.unwrap();
    assert_eq!(scope.risk_verification().await.unwrap(), None);
    assert_eq!(scope.risk_verification().await.unwrap(), None);
}

#[tokio::test]
async fn gateway_404_for_risk_verification_is_an_error() {
    let sandbox = sandbox(Switches::default()).await;
    let (organization_id, user_id) = any_organization(&sandbox);
    let scope = client(&sandbox).organization(&organization_id, soon());
    scope.sign_in(&user_id).await.unwrap();
    fault(
        &sandbox,
        "getRiskVerifications",
        FaultKind::Html { status: 404 },
        1,
    );
    assert_eq!(
        scope.risk_verification().await.unwrap_err().type_name(),
        "bill_refused"
    );
    fault(&sandbox, "getRiskVerifications", status(403, "BDC_1361"), 1);
    assert!(
        scope
            .risk_verification()
            .await
            .unwrap_err()
            .is_untrusted_session()
    );
}

#[tokio::test]
async fn another_user_can_sign_in_after_a_refused_one() {
    let sandbox = sandbox(Switches::default()).await;
    let (organization_id, user_id) = any_organization(&sandbox);
    let scope = client(&sandbox).organization(&organization_id, soon());
    let error = scope.sign_in("00602NOBODY").await.unwrap_err();
    assert_eq!(error.type_name(), "bill_refused");
    assert!(!error.to_string().contains("NOBODY"), "{error}");
    scope.sign_in(&user_id).await.unwrap();
    scope.bank_accounts().await.unwrap();
}

#[tokio::test]
async fn malformed_rows_are_skipped_and_others_are_parsed() {
    let sandbox = sandbox(Switches::default()).await;
    let now = sandbox.now();
    let (organization_id, user_id) = organization_with(&sandbox, |_| true);
    let organization = sandbox.organization(&organization_id).unwrap();
    let shapes = [
        Shape::Whole,
        Shape::NotAnObject,
        Shape::WithoutCreatedTime,
        Shape::AmountAsText,
        Shape::WithoutId,
    ];
    let mut users = organization.users.clone();
    users.push(User {
        shape: Shape::NotAnObject,
        ..User::administrator("a@b.example", now)
    });
    users.push(User {
        shape: Shape::WithoutCreatedTime,
        ..User::new("LATER_ROLE", "c@d.example", now)
    });
    let whole = users.len() - 1;
    sandbox.put_organization(Organization {
        users,
        banks: shapes
            .map(|shape| Bank {
                shape,
                ..Bank::new("VERIFIED", now)
            })
            .to_vec(),
        payments: shapes
            .map(|shape| Payments {
                shape,
                ..Payments::paid(now)
            })
            .to_vec(),
        name: Some("\"<script>🦀</script>\" ".repeat(30)),
        ..organization
    });
    let bill = client(&sandbox);
    let scope = bill.organization(&organization_id, soon());
    scope.sign_in(&user_id).await.unwrap();
    let users = scope.users().await.unwrap();
    assert_eq!((users.rows.len(), users.skipped), (whole, 1));
    assert!(users.rows.iter().any(|user| user.created_time.is_none()));
    let banks = scope.bank_accounts().await.unwrap();
    assert_eq!((banks.rows.len(), banks.skipped), (4, 1));
    let payments = scope.payments_page(None).await.unwrap();
    assert_eq!((payments.rows.len(), payments.skipped), (4, 1));
    assert!(payments.rows.iter().all(|payment| payment.amount.is_some()));
    assert_eq!(
        payments
            .rows
            .iter()
            .filter(|payment| payment.created_time.is_none())
            .count(),
        1
    );
    let page = bill.organizations(None, soon()).await.unwrap();
    assert!(page.rows.iter().any(|row| {
        row.name
            .as_ref()
            .is_some_and(|name| name.expose_secret().contains("<script>🦀"))
    }));
}

#[tokio::test]
async fn each_call_sends_the_documented_headers() {
    let script = Script::start([
        reply(200, "{}"),
        reply(200, "{}"),
        reply(200, "{}"),
        reply(200, ""),
        reply(200, ""),
    ])
    .await;
    let bill = script.client();
    bill.organizations(None, soon()).await.unwrap();
    let scope = bill.organization("008ORG", soon());
    scope.users().await.unwrap();
    scope.sign_in("006USER").await.unwrap();
    scope.payments_page(None).await.unwrap();
    scope.log_out().await.unwrap();
    bill.log_out(soon()).await.unwrap();

    let names = [
        "sessionid",
        "appkey",
        "devkey",
        "organizationid",
        "authorization",
    ];
    let sent: Vec<Vec<&str>> = script
        .seen()
        .iter()
        .map(|seen| {
            names
                .into_iter()
                .filter(|name| seen.headers.contains_key(*name))
                .collect()
        })
        .collect();
    assert_eq!(
        sent,
        [
            vec!["sessionid", "appkey"],
            vec!["sessionid", "appkey", "organizationid"],
            vec!["sessionid", "devkey"],
            vec!["sessionid", "devkey"],
            vec!["sessionid", "appkey", "devkey"],
        ]
    );
    let logins = script.logins();
    let body =
        |index: usize| -> serde_json::Value { serde_json::from_str(&logins[index].body).unwrap() };
    assert_eq!(
        body(0),
        serde_json::json!({ "username": "ann@partner.example", "password": "p-secret", "appKey": "a-secret" })
    );
    assert_eq!(
        body(1),
        serde_json::json!({ "userId": "006USER", "organizationId": "008ORG" })
    );
    assert!(
        !logins[0].headers.contains_key("sessionid") && logins[1].headers.contains_key("appkey")
    );
    assert_eq!(logins[0].headers["content-type"], "application/json");
}

#[tokio::test]
async fn organization_id_invalid_as_header_fails_without_a_request() {
    let sandbox = sandbox(Switches::default()).await;
    let error = client(&sandbox)
        .organization("008\r\nx: y", soon())
        .users()
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "listPartnerUsers: request is refused, a value is unfit for a header"
    );
    assert_eq!(sandbox.statistics().requests, 0);
}
