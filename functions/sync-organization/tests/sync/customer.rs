//! One customer with users, a bank account and a payment of which the tests know everything.

use std::collections::BTreeMap;

use engagement::ListedOrganization;
use jiff::{SignedDuration, Timestamp};
use sandbox::{BankAccount, OrganizationPatch, PaymentSeries, User};

use crate::support::{BatchResult, TestSync, body, now, request};

pub const READS: [&str; 3] = ["listBankAccounts", "listPayments", "getRiskVerifications"];

/// Administrator number `number`, whose id is `006ADMIN` with the number; the lower, the older.
pub fn administrator(number: i64) -> User {
    User {
        id: user_id(number),
        ..User::administrator(
            &format!("admin{number}@kestrel.example"),
            now() - SignedDuration::from_hours(24 * (900 - number)),
        )
    }
}

pub fn user_id(number: i64) -> String {
    format!("006ADMIN{number:08}")
}

/// An administrator whom BILL refuses every read.
pub fn without_rights(number: i64) -> User {
    User {
        denied_operations: READS.map(str::to_owned).into(),
        ..administrator(number)
    }
}

/// A customer with these users, a verified bank account, and a payment 40 days ago.
pub fn customer(sync: &TestSync, users: Vec<User>) -> ListedOrganization {
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

pub fn set(sync: &TestSync, customer: &ListedOrganization, patch: OrganizationPatch) {
    assert!(sync.sandbox.patch_organization(customer.id.as_str(), patch));
}

pub async fn sync_at(
    sync: &TestSync,
    customer: &ListedOrganization,
    as_of: Timestamp,
) -> BatchResult {
    sync.run(&[body(&request(customer, as_of))]).await
}

/// The requests about the customer since the last call, by operation.
pub fn take_requests(sync: &TestSync, customer: &ListedOrganization) -> BTreeMap<String, u64> {
    let statistics = sync.sandbox.statistics();
    sync.sandbox.reset_statistics();
    let endpoints = statistics.endpoints_by_organization;
    endpoints
        .get(customer.id.as_str())
        .cloned()
        .unwrap_or_default()
}

pub async fn contacts(sync: &TestSync, customer: &ListedOrganization) -> Vec<String> {
    let record = sync.record(customer).await.unwrap();
    record.contacts.iter().map(ToString::to_string).collect()
}
