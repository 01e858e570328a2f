//! Whom a sync signs in as, when BILL refuses users.

use std::collections::BTreeMap;

use engagement::ListedOrganization;
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use sandbox::{BankAccount, OrganizationPatch, PaymentSeries, Switches, User};
use serde_json::json;

use crate::support::{BatchResult, TestSync, body, now, request};

const READS: [&str; 3] = ["listBankAccounts", "listPayments", "getRiskVerifications"];

/// Administrator number `number`, whose id is `006ADMIN` with the number; the lower, the older.
fn administrator(number: i64) -> User {
    User {
        id: user_id(number),
        ..User::administrator(
            &format!("admin{number}@kestrel.example"),
            now() - SignedDuration::from_hours(24 * (900 - number)),
        )
    }
}

fn user_id(number: i64) -> String {
    format!("006ADMIN{number:08}")
}

/// An administrator whom BILL refuses every read.
fn without_rights(number: i64) -> User {
    User {
        denied_operations: READS.map(str::to_owned).into(),
        ..administrator(number)
    }
}

/// A customer with these users, a verified bank account, and a payment 40 days ago.
fn customer(sync: &TestSync, users: Vec<User>) -> ListedOrganization {
    let customer = sync.customers(1).remove(0);
    let long_ago = now() - SignedDuration::from_hours(24 * 40);
    set(
        sync,
        &customer,
        OrganizationPatch {
            users: Some(users),
            bank_accounts: Some(vec![BankAccount::new("VERIFIED", long_ago)]),
            payments: Some(vec![PaymentSeries::paid(long_ago)]),
            ..OrganizationPatch::default()
        },
    );
    customer
}

fn set(sync: &TestSync, customer: &ListedOrganization, patch: OrganizationPatch) {
    assert!(sync.sandbox.patch_organization(customer.id.as_str(), patch));
}

async fn sync_at(sync: &TestSync, customer: &ListedOrganization, as_of: Timestamp) -> BatchResult {
    sync.run(&[body(&request(customer, as_of))]).await
}

/// The requests about the customer since the last call, by operation.
fn take_requests(sync: &TestSync, customer: &ListedOrganization) -> BTreeMap<String, u64> {
    let statistics = sync.sandbox.statistics();
    sync.sandbox.reset_statistics();
    let endpoints = statistics.endpoints_by_organization;
    endpoints
        .get(customer.id.as_str())
        .cloned()
        .unwrap_or_default()
}

async fn contacts(sync: &TestSync, customer: &ListedOrganization) -> Vec<String> {
    let record = sync.record(customer).await.unwrap();
    record.contacts.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_contact_who_was_demoted_is_replaced_by_a_new_administrator() {
    let sync = TestSync::start(10).await;
    let customer = customer(&sync, vec![administrator(1)]);
    sync_at(&sync, &customer, now()).await;
    assert_eq!(contacts(&sync, &customer).await, [user_id(1)]);
    take_requests(&sync, &customer);

    set(
        &sync,
        &customer,
        OrganizationPatch {
            users: Some(vec![administrator(1), administrator(2)]),
            ..OrganizationPatch::default()
        },
    );
    let id = customer.id.as_str();
    assert!(sync.sandbox.set_user_role(id, &user_id(1), "NO_ACCESS"));
    let in_three_days = now() + SignedDuration::from_hours(72);
    sync_at(&sync, &customer, in_three_days).await;

    let record = sync.record(&customer).await.unwrap();
    assert_eq!(record.checked_at, in_three_days);
    assert_eq!(contacts(&sync, &customer).await, [user_id(2), user_id(1)]);
    assert_eq!(
        sync.item(&customer).await.unwrap()["sync_error"],
        json!(null)
    );
}

#[rstest]
#[case::nothing(&READS)]
#[case::no_payments(&["listPayments"])]
#[tokio::test]
async fn a_user_who_signs_in_and_cannot_read_is_passed_over_from_the_first_sync_on(
    #[case] denied: &[&str],
) {
    let sync = TestSync::start(10).await;
    let first = User {
        denied_operations: denied.iter().map(ToString::to_string).collect(),
        ..administrator(1)
    };
    let customer = customer(&sync, vec![first, administrator(2), administrator(3)]);

    let batch = sync_at(&sync, &customer, now()).await;

    assert_eq!(batch.returned, [0; 0]);
    let refused = batch.metrics.total("users_refused");
    assert!((refused - 1.0).abs() < f64::EPSILON);
    let record = sync.record(&customer).await.unwrap();
    assert_eq!(record.stage.to_string(), "dormant_30");
    assert_eq!(contacts(&sync, &customer).await, [user_id(2), user_id(3)]);

    take_requests(&sync, &customer);
    sync_at(&sync, &customer, now() + SignedDuration::from_hours(72)).await;
    let expected = ["listBankAccounts", "listPayments", "loginAsUser"];
    let requests = take_requests(&sync, &customer);
    assert_eq!(
        requests,
        expected.map(|name| (name.to_owned(), 1)).into(),
        "who could read is asked first"
    );
}

#[rstest]
#[case::three(4, 3)]
#[case::all(2, 2)]
#[tokio::test]
async fn an_organization_counts_as_refused_when_three_users_are_or_all(
    #[case] users: i64,
    #[case] sign_ins: u64,
) {
    let sync = TestSync::start(10).await;
    let customer = customer(&sync, (1..=users).map(without_rights).collect());
    let as_of = now();

    let batch = sync_at(&sync, &customer, as_of).await;

    assert_eq!(batch.returned, [0; 0]);
    let item = sync.item(&customer).await.unwrap();
    assert_eq!(
        (&item["sync_error"], &item["next_check_at"]),
        (
            &json!("bill_refused"),
            &json!((as_of + SignedDuration::from_hours(24)).to_string())
        )
    );
    assert_eq!(take_requests(&sync, &customer)["loginAsUser"], sign_ins);
}

/// A remembered contact who left does not count as one of the three.
#[tokio::test]
async fn contacts_who_left_leave_three_attempts_for_those_who_are_there() {
    let sync = TestSync::start(10).await;
    let customer = customer(&sync, vec![administrator(1), administrator(2)]);
    sync_at(&sync, &customer, now()).await;
    let users = vec![without_rights(3), without_rights(4), administrator(5)];
    set(
        &sync,
        &customer,
        OrganizationPatch {
            users: Some(users),
            ..OrganizationPatch::default()
        },
    );

    sync_at(&sync, &customer, now() + SignedDuration::from_hours(72)).await;

    assert_eq!(contacts(&sync, &customer).await[0], user_id(5));
}

/// How BILL rejects the sign-in of a user who is no longer there, it does not document.
#[rstest]
#[case(422)]
#[case(401)]
#[case(500)]
#[tokio::test]
async fn another_user_signs_in_when_the_contact_is_gone(#[case] unknown_user_status: u16) {
    let sync = TestSync::start(10).await;
    let customer = customer(&sync, vec![administrator(1)]);
    sync_at(&sync, &customer, now()).await;
    sync.sandbox.set_switches(Switches {
        unknown_user_status,
        ..Switches::default()
    });
    set(
        &sync,
        &customer,
        OrganizationPatch {
            users: Some(vec![administrator(2)]),
            ..OrganizationPatch::default()
        },
    );

    let batch = sync_at(&sync, &customer, now() + SignedDuration::from_hours(72)).await;

    assert_eq!(batch.returned, [0; 0]);
    assert_eq!(contacts(&sync, &customer).await, [user_id(2)]);
}

/// Where BILL shows a user without rights empty lists, the second look is one of another user.
#[tokio::test]
async fn a_loss_that_only_a_demoted_contact_sees_is_not_believed() {
    let sync = TestSync::start(10).await;
    let customer = customer(&sync, vec![administrator(1), administrator(2)]);
    sync_at(&sync, &customer, now()).await;
    let before = sync.record(&customer).await.unwrap();
    let id = customer.id.as_str();
    assert!(sync.sandbox.set_user_role(id, &user_id(1), "NO_ACCESS"));
    sync.sandbox.set_switches(Switches {
        denied_operations: BTreeMap::new(),
        empty_lists_without_access: true,
        ..Switches::default()
    });

    let in_three_days = now() + SignedDuration::from_hours(72);
    sync_at(&sync, &customer, in_three_days).await;
    let marked = sync.record(&customer).await.unwrap();
    assert_eq!(marked.loss_seen_at, Some(in_three_days));

    let four_hours_later = in_three_days + SignedDuration::from_hours(4);
    sync_at(&sync, &customer, four_hours_later).await;

    let after = sync.record(&customer).await.unwrap();
    assert_eq!((after.loss_seen_at, after.stage), (None, before.stage));
    assert_eq!(contacts(&sync, &customer).await[0], user_id(2));
}

/// The full listing is daily; who was archived since then must get no e-mail.
#[tokio::test]
async fn a_customer_archived_since_the_last_listing_gets_no_notice() {
    let sync = TestSync::start(10).await;
    let customer = customer(&sync, vec![administrator(1)]);
    sync_at(&sync, &customer, now()).await;
    take_requests(&sync, &customer);
    set(
        &sync,
        &customer,
        OrganizationPatch {
            archived: Some(true),
            ..OrganizationPatch::default()
        },
    );

    // The second step of the campaign `dormant_30` is due after 14 days.
    let batch = sync_at(
        &sync,
        &customer,
        now() + SignedDuration::from_hours(24 * 15),
    )
    .await;

    let record = sync.record(&customer).await.unwrap();
    assert_eq!(record.stage.to_string(), "closed");
    assert!(batch.metrics.total("notices_planned").abs() < f64::EPSILON);
    assert_eq!(
        take_requests(&sync, &customer).get("listPartnerUsers"),
        Some(&1),
        "the step is known before the other reads"
    );
}

#[tokio::test]
async fn a_customer_that_bill_no_longer_lists_gets_no_notice_and_is_asked_for_in_a_day() {
    let sync = TestSync::start(10).await;
    let customer = customer(&sync, vec![administrator(1)]);
    sync_at(&sync, &customer, now()).await;
    let before = sync.record(&customer).await.unwrap();
    set(
        &sync,
        &customer,
        OrganizationPatch {
            archived: Some(true),
            ..OrganizationPatch::default()
        },
    );
    sync.sandbox.set_switches(Switches {
        list_archived: false,
        ..Switches::default()
    });

    let as_of = now() + SignedDuration::from_hours(24 * 15);
    let batch = sync_at(&sync, &customer, as_of).await;

    assert_eq!(batch.returned, [0; 0]);
    let item = sync.item(&customer).await.unwrap();
    assert_eq!(
        (&item["sync_error"], &item["next_check_at"]),
        (
            &json!("not_listed"),
            &json!((as_of + SignedDuration::from_hours(24)).to_string())
        )
    );
    let after = sync.record(&customer).await.unwrap();
    assert_eq!(
        (after.stage, after.checked_at, after.steps),
        (before.stage, before.checked_at, before.steps)
    );
}
