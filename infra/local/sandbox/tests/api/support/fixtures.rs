//! Times, organizations and requests for the tests.

use jiff::{SignedDuration, Timestamp};
use sandbox::{BankAccount, Options, Organization, PaymentSeries, User};
use serde_json::{Value, json};
use uuid::Uuid;

/// The options of the tests' sandboxes.
pub fn options() -> Options {
    Options {
        clock: start_time(),
        ..Options::default()
    }
}

/// The time at which the tests' sandboxes start.
pub fn start_time() -> Timestamp {
    "2026-09-15T10:00:00Z".parse().unwrap()
}

pub fn days_before_start(days: i64) -> Timestamp {
    start_time() - SignedDuration::from_hours(24 * days)
}

/// An organization with one administrator, one verified bank account and these payments.
pub fn organization_with_payments(id: &str, payments: Vec<PaymentSeries>) -> Organization {
    Organization {
        id: Some(id.to_owned()),
        name: Some("Kestrel Bakehouse LLC".to_owned()),
        created_at: days_before_start(400),
        scenario: "test".to_owned(),
        users: vec![User::administrator(
            "marisol@kestrel.example",
            days_before_start(399),
        )],
        bank_accounts: vec![BankAccount::new("VERIFIED", days_before_start(200))],
        payments,
        ..Organization::default()
    }
}

/// The body of a request for a subscription to these types of events.
pub fn subscription_request(url: &str, event_types: &[&str]) -> Value {
    let events: Vec<Value> = event_types
        .iter()
        .map(|event_type| json!({ "type": event_type, "version": "1" }))
        .collect();

    json!({
        "name": "Customer engagement",
        "status": { "enabled": true },
        "events": events,
        "notificationUrl": url,
    })
}

pub fn new_idempotency_key() -> String {
    Uuid::new_v4().to_string()
}
