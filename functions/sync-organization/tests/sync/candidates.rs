//! Whom a sync signs in as, when BILL refuses users.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use rstest::rstest;
use sandbox::{BankAccount, OrganizationPatch, Switches, User};
use serde_json::json;

use crate::{
    customer::{
        READS, administrator, contacts, customer, set, sync_at, take_requests, user_id,
        without_rights,
    },
    support::{TestSync, now},
};

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

/// The users are read after the rest, because only then a step is known to be due.
#[tokio::test]
async fn what_was_read_as_a_demoted_contact_is_read_again() {
    let sync = TestSync::start(10).await;
    let customer = customer(&sync, vec![administrator(1), administrator(2)]);
    let pending = OrganizationPatch {
        bank_accounts: Some(vec![BankAccount::new("PENDING", now())]),
        payments: Some(vec![]),
        ..OrganizationPatch::default()
    };
    set(&sync, &customer, pending);
    sync_at(&sync, &customer, now()).await;
    take_requests(&sync, &customer);
    sync.sandbox.set_switches(Switches {
        denied_operations: BTreeMap::new(),
        ..Switches::default()
    });
    let id = customer.id.as_str();
    assert!(sync.sandbox.set_user_role(id, &user_id(1), "NO_ACCESS"));
    assert!(sync.sandbox.verify_bank_account(id));

    sync_at(&sync, &customer, now() + SignedDuration::from_hours(24)).await;

    let record = sync.record(&customer).await.unwrap();
    assert_eq!(record.stage.to_string(), "awaiting_first_payment");
    assert_eq!(contacts(&sync, &customer).await, [user_id(2), user_id(1)]);
    let requests = take_requests(&sync, &customer);
    assert_eq!((requests["listPayments"], requests["loginAsUser"]), (2, 2));
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
