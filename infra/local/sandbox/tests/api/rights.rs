//! What a user may read: by role, by user, and after a change of the role.

use sandbox::{PaymentSeries, Switches, User};
use serde_json::json;

use crate::support::{Partner, days_before_start, organization_with_payments, start_time};

const READS: [&str; 3] = [
    "/v3/funding-accounts/banks",
    "/v3/payments",
    "/v3/risk-verifications",
];

/// A partner with the customer `008A`, which has these users and one payment.
async fn partner_with_users(users: Vec<User>) -> Partner {
    let partner = Partner::with_organizations(1).await;
    let payment = PaymentSeries::paid(days_before_start(1));
    partner.sandbox.put_organization(sandbox::Organization {
        users,
        ..organization_with_payments("008A", vec![payment])
    });

    partner
}

fn user(role: &str) -> User {
    User {
        id: format!("006{role}"),
        ..User::new(role, "marisol@kestrel.example", start_time())
    }
}

/// The statuses of [`READS`], as this user.
async fn statuses(partner: &Partner, user_id: &str) -> [u16; 3] {
    let session = partner.login_as_user(user_id, "008A").await.body["sessionId"].clone();
    let session = session.as_str().unwrap();
    let mut statuses = [0; 3];
    for (path, status) in READS.into_iter().zip(&mut statuses) {
        *status = partner.get_with_session(session, path).await.status;
    }
    statuses
}

#[tokio::test]
async fn a_user_without_access_signs_in_and_reads_nothing() {
    let partner = partner_with_users(vec![user("NO_ACCESS"), user("CLERK")]).await;

    assert_eq!(statuses(&partner, "006NO_ACCESS").await, [403; 3]);
    assert_eq!(statuses(&partner, "006CLERK").await, [200; 3]);
}

#[tokio::test]
async fn roles_and_users_have_rights_for_each_operation() {
    let partner = partner_with_users(vec![
        User {
            denied_operations: ["listPayments".to_owned()].into(),
            ..user("ADMINISTRATOR")
        },
        user("CLERK"),
    ])
    .await;
    let denied = ["getRiskVerifications".to_owned()].into();
    partner.sandbox.set_switches(Switches {
        denied_operations: [("CLERK".to_owned(), denied)].into(),
        ..Switches::default()
    });

    assert_eq!(
        statuses(&partner, "006ADMINISTRATOR").await,
        [200, 403, 200]
    );
    assert_eq!(statuses(&partner, "006CLERK").await, [200, 200, 403]);
}

#[tokio::test]
async fn a_demoted_user_may_be_shown_empty_lists() {
    let partner = partner_with_users(vec![user("ADMINISTRATOR")]).await;
    let id = "006ADMINISTRATOR";
    let session = partner.login_as_user(id, "008A").await.body["sessionId"].clone();
    let session = session.as_str().unwrap();
    let payments = async || {
        let response = partner.get_with_session(session, "/v3/payments").await;
        (response.status, response.rows().len())
    };
    assert_eq!(payments().await, (200, 1));

    assert!(partner.sandbox.set_user_role("008A", id, "NO_ACCESS"));
    assert!(!partner.sandbox.set_user_role("008A", "006NOBODY", "CLERK"));
    let denied = partner.get_with_session(session, "/v3/payments").await;
    assert_eq!((denied.status, denied.codes()), (403, vec!["BDC_UNKNOWN"]));

    partner.sandbox.set_switches(Switches {
        denied_operations: [].into(),
        empty_lists_without_access: true,
        ..Switches::default()
    });
    assert_eq!(payments().await, (200, 0));
}

#[tokio::test]
async fn requests_are_counted_by_organization_and_operation() {
    let partner = partner_with_users(vec![user("ADMINISTRATOR")]).await;
    partner.users("008A").await;

    statuses(&partner, "006ADMINISTRATOR").await;

    let statistics = partner.sandbox.statistics();
    assert_eq!(
        json!(statistics.endpoints_by_organization["008A"]),
        json!({
            "getRiskVerifications": 1,
            "listBankAccounts": 1,
            "listPartnerUsers": 1,
            "listPayments": 1,
            "loginAsUser": 1,
        })
    );
    assert_eq!(statistics.by_organization["008A"], 5);
}

#[tokio::test]
async fn how_an_unknown_user_is_rejected_can_be_set() {
    let partner = partner_with_users(vec![]).await;
    assert_eq!(partner.login_as_user("006GONE", "008A").await.status, 422);

    partner.sandbox.set_switches(Switches {
        unknown_user_status: 500,
        ..Switches::default()
    });
    assert_eq!(partner.login_as_user("006GONE", "008A").await.status, 500);
}
