//! What became of an organization, as notifications.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::VERSION;
use crate::{
    answers::time,
    lists::Rows,
    population::{
        Organization,
        organization::{Bank, Payments, Verification},
        rows::{self, BankAccountRows},
    },
};

/// Something that BILL sends a notification about. All subscribers get it under the same id, which
/// is `inferred`.
pub(crate) struct DomainEvent {
    pub(crate) id: String,
    pub(crate) event_type: String,
    pub(crate) organization_id: String,
    pub(crate) at: Timestamp,
    contents: Map<String, Value>,
}

/// What a subscriber is told of when `before` became `after`. Names, users and archiving cause no
/// event.
pub(crate) fn between(
    before: &Organization,
    after: &Organization,
    now: Timestamp,
) -> Vec<DomainEvent> {
    let Some(id) = after.id.as_deref() else {
        return Vec::new();
    };
    let about = |event_type: &str, subject: &str, payload: Value| {
        DomainEvent::about(event_type, id, subject, payload, now)
    };
    let mut events = Vec::new();
    for (position, bank) in after.banks.iter().enumerate() {
        match before.banks.iter().find(|known| known.id == bank.id) {
            None => events.push(about(
                "bank-account.created",
                BANK,
                created_account_payload(after, position),
            )),
            Some(known) if (known.archived, &known.status) != (bank.archived, &bank.status) => {
                events.push(about(
                    "bank-account.updated",
                    BANK,
                    updated_account_payload(bank),
                ));
            }
            Some(_) => {}
        }
    }
    for (run, place) in new_payments(&before.payments, &after.payments) {
        events.push(about(
            "payment.updated",
            PAYMENT,
            payment(after, run, place),
        ));
    }
    if let Some(verification) = after
        .verification
        .as_ref()
        .filter(|_| before.verification != after.verification)
    {
        events.push(about(
            "risk-verification.updated",
            RISK,
            decision(verification),
        ));
    }
    events
}

/// An event of this type about what the organization has. `None`: it has nothing of the kind, or
/// the type is none of the contract's.
pub(crate) fn from_current_state(
    event_type: &str,
    organization: &Organization,
    now: Timestamp,
) -> Option<DomainEvent> {
    let id = organization.id.as_deref()?;
    let has_bank = !organization.banks.is_empty();
    let has_payment = organization
        .payments
        .first()
        .is_some_and(|run| run.count > 0);
    let (subject, payload) = match event_type {
        "bank-account.created" if has_bank => (BANK, created_account_payload(organization, 0)),
        "bank-account.updated" => (BANK, updated_account_payload(organization.banks.first()?)),
        "payment.updated" if has_payment => (PAYMENT, payment(organization, 0, 0)),
        "payment.failed" => (PAYMENT, failed_payment_payload(now)),
        "risk-verification.updated" => (RISK, decision(organization.verification.as_ref()?)),
        _ => return None,
    };
    let mut happening = DomainEvent::about(event_type, id, subject, payload, now);
    if event_type == "payment.failed" {
        let error = json!({ "code": "fake-code-1", "message": "Bank account is inactive.", "timestamp": time(now) });
        happening
            .contents
            .insert("errors".to_owned(), json!([error]));
    }
    Some(happening)
}

impl DomainEvent {
    pub(crate) fn new(
        event_type: &str,
        organization_id: &str,
        contents: Map<String, Value>,
        at: Timestamp,
    ) -> Self {
        let id = Uuid::new_v4().to_string();
        Self {
            id,
            event_type: event_type.to_owned(),
            organization_id: organization_id.to_owned(),
            at,
            contents,
        }
    }

    fn about(
        event_type: &str,
        organization_id: &str,
        subject: &str,
        payload: Value,
        at: Timestamp,
    ) -> Self {
        Self::new(
            event_type,
            organization_id,
            Map::from_iter([(subject.to_owned(), payload)]),
            at,
        )
    }

    /// The notification for one subscriber, minified.
    pub(crate) fn notification(&self, subscription_id: &str) -> String {
        let mut notification = self.contents.clone();
        let metadata = json!({
            "eventId": self.id,
            "subscriptionId": subscription_id,
            "organizationId": self.organization_id,
            "eventType": self.event_type,
            "version": VERSION,
        });
        notification.insert("metadata".to_owned(), metadata);
        Value::Object(notification).to_string()
    }
}

/// Every payment of the runs that were not there before. A run that changed counts as new.
fn new_payments(before: &[Payments], after: &[Payments]) -> Vec<(usize, usize)> {
    let mut known: Vec<&Payments> = before.iter().collect();
    let mut new = Vec::new();
    for (position, run) in after.iter().enumerate() {
        match known.iter().position(|known| *known == run) {
            Some(place) => drop(known.remove(place)),
            None => new.extend((0..run.count).map(|place| (position, place))),
        }
    }
    new.truncate(MAX_PAYMENT_EVENTS);
    new
}

/// A new account carries every field that the payload has.
fn created_account_payload(organization: &Organization, position: usize) -> Value {
    only(
        BankAccountRows(organization).row(position),
        BANK_ACCOUNT_FIELDS,
    )
}

/// A changed account carries what changed.
fn updated_account_payload(bank: &Bank) -> Value {
    let mut changed = json!({ "id": bank.id, "archived": bank.archived, "status": bank.status });
    if let Some(updated_at) = bank.updated_at {
        changed["updatedTime"] = time(updated_at).into();
    }
    changed
}

fn payment(organization: &Organization, run: usize, place: usize) -> Value {
    let row = rows::payment(organization, run, place);
    let mut payment = only(row.clone(), PAYMENT_FIELDS);
    if let Some(fields) = payment.as_object_mut() {
        fields.insert("billIds".to_owned(), json!([row["billId"]]));
        fields.insert(
            "funding".to_owned(),
            json!({ "amount": row["amount"], "currency": "USD", "fundingAccount": { "type": row["fundingAccount"]["type"] } }),
        );
        fields.insert(
            "vendor".to_owned(),
            json!({ "id": row["vendorId"], "name": row["vendorName"] }),
        );
    }
    payment
}

/// A request that failed has no payment id.
fn failed_payment_payload(now: Timestamp) -> Value {
    json!({
        "bills": [{ "id": "00n02FAKEBILL5a6b1c2", "amount": 28.99 }],
        "transactionNumber": "FAKE-2026-0816",
        "createdTime": time(now),
        "updatedTime": time(now),
        "vendor": { "id": "00902FAKEVENDOR1a2b3", "name": "Cog Supply Co" },
    })
}

fn decision(verification: &Verification) -> Value {
    json!({ "decision": verification.decision })
}

/// A row's fields of these names.
fn only(row: Value, names: &[&str]) -> Value {
    let Value::Object(fields) = row else {
        return json!({});
    };
    Value::Object(
        fields
            .into_iter()
            .filter(|(name, _)| names.contains(&name.as_str()))
            .collect(),
    )
}

const BANK: &str = "bank-account";
const PAYMENT: &str = "payment";
const RISK: &str = "risk-verification";

const BANK_ACCOUNT_FIELDS: &[&str] = &[
    "id",
    "archived",
    "accountNumber",
    "nameOnAccount",
    "routingNumber",
    "bankName",
    "status",
    "createdBy",
    "type",
    "ownerType",
    "default",
    "createdTime",
    "updatedTime",
];
const PAYMENT_FIELDS: &[&str] = &[
    "id",
    "transactionNumber",
    "status",
    "createdBy",
    "createdTime",
    "updatedTime",
    "processDate",
];

/// Notifications that one change may cause about payments: a run may hold thousands.
const MAX_PAYMENT_EVENTS: usize = 100;
