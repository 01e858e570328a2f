//! Rows that do not have the documented format.

use bill::OrganizationOrder;
use sandbox::{BankAccount, Organization, PaymentSeries, RowDefect, Switches, User};
use secrecy::ExposeSecret;

use crate::support::{client, organization_with, sandbox, test_deadline};

#[tokio::test]
async fn malformed_rows_are_skipped_and_others_are_parsed() {
    let sandbox = sandbox(Switches::default()).await;
    let now = sandbox.now();
    let (organization_id, user_id) = organization_with(&sandbox, |_| true);
    let organization = sandbox.organization(&organization_id).unwrap();
    let defects = [
        RowDefect::None,
        RowDefect::NotAnObject,
        RowDefect::WithoutCreatedTime,
        RowDefect::AmountAsText,
        RowDefect::WithoutId,
    ];
    let mut users = organization.users.clone();
    users.push(User {
        defect: RowDefect::NotAnObject,
        ..User::administrator("a@b.example", now)
    });
    users.push(User {
        defect: RowDefect::WithoutCreatedTime,
        ..User::new("LATER_ROLE", "c@d.example", now)
    });
    let whole = users.len() - 1;
    sandbox.put_organization(Organization {
        users,
        bank_accounts: defects
            .map(|defect| BankAccount {
                defect,
                ..BankAccount::new("VERIFIED", now)
            })
            .to_vec(),
        payments: defects
            .map(|defect| PaymentSeries {
                defect,
                ..PaymentSeries::paid(now)
            })
            .to_vec(),
        name: Some("\"<script>🦀</script>\" ".repeat(30)),
        ..organization
    });
    let bill = client(&sandbox);
    let organization_client = bill.organization(&organization_id, test_deadline());
    organization_client.sign_in(&user_id).await.unwrap();
    let users = organization_client.users().await.unwrap();

    assert_eq!((users.rows.len(), users.skipped), (whole, 1));
    assert!(users.rows.iter().any(|user| user.created_time.is_none()));

    let banks = organization_client.bank_accounts().await.unwrap();
    assert_eq!((banks.rows.len(), banks.skipped), (4, 1));

    let payments = organization_client.payments_page(None).await.unwrap();
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

    let page = bill
        .organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
        .await
        .unwrap();
    assert!(page.rows.iter().any(|row| {
        row.name
            .as_ref()
            .is_some_and(|name| name.expose_secret().contains("<script>🦀"))
    }));
}
