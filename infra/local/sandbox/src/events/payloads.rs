//! The payloads of notifications, by the schemas of the contract.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::{
    lists::rows::Rows,
    population::{
        organization::{BankAccount, Organization, Verification},
        rows::{bank_accounts::BankAccountRows, payments::payment_row},
    },
    responses::format_timestamp,
};

/// The fields of a notification beside `metadata`.
pub(super) type Payload = Map<String, Value>;

const BANK_ACCOUNT: &str = "bank-account";
const PAYMENT: &str = "payment";
const RISK_VERIFICATION: &str = "risk-verification";

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

/// The payload about a new account has every field of the schema.
pub(super) fn created_account(organization: &Organization, position: usize) -> Payload {
    let row = BankAccountRows(organization).row(position);

    payload(BANK_ACCOUNT, select_fields(&row, BANK_ACCOUNT_FIELDS))
}

/// The payload about a changed account has the fields that can change.
pub(super) fn updated_account(account: &BankAccount) -> Payload {
    let mut fields = json!({
        "id": account.id,
        "archived": account.archived,
        "status": account.status,
    });
    if let Some(updated_at) = account.updated_at {
        fields["updatedTime"] = format_timestamp(updated_at).into();
    }

    payload(BANK_ACCOUNT, fields)
}

/// The payload about the payment at `index` of the series at position `series`.
pub(super) fn payment(organization: &Organization, series: usize, index: usize) -> Payload {
    let row = payment_row(organization, series, index);
    let mut fields = select_fields(&row, PAYMENT_FIELDS);
    fields["billIds"] = json!([row["billId"]]);
    fields["funding"] = json!({
        "amount": row["amount"],
        "currency": "USD",
        "fundingAccount": { "type": row["fundingAccount"]["type"] },
    });
    fields["vendor"] = json!({ "id": row["vendorId"], "name": row["vendorName"] });

    payload(PAYMENT, fields)
}

/// The payload about a payment that BILL rejected. It has no payment id.
pub(super) fn failed_payment(now: Timestamp) -> Payload {
    let mut payload = payload(
        PAYMENT,
        json!({
            "bills": [{ "id": "00n02FAKEBILL5a6b1c2", "amount": 28.99 }],
            "transactionNumber": "FAKE-2026-0816",
            "createdTime": format_timestamp(now),
            "updatedTime": format_timestamp(now),
            "vendor": { "id": "00902FAKEVENDOR1a2b3", "name": "Cog Supply Co" },
        }),
    );
    let error = json!({
        "code": "fake-code-1",
        "message": "Bank account is inactive.",
        "timestamp": format_timestamp(now),
    });
    payload.insert("errors".to_owned(), json!([error]));

    payload
}

pub(super) fn risk_verification(verification: &Verification) -> Payload {
    payload(
        RISK_VERIFICATION,
        json!({ "decision": verification.decision }),
    )
}

fn payload(subject: &str, fields: Value) -> Payload {
    Map::from_iter([(subject.to_owned(), fields)])
}

/// The fields of a row with these names; none if the row is not an object.
fn select_fields(row: &Value, names: &[&str]) -> Value {
    let fields = row.as_object().into_iter().flatten();

    Value::Object(
        fields
            .filter(|(name, _)| names.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    )
}
