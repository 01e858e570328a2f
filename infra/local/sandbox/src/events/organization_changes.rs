//! The events that follow from a change of an organization.

use jiff::Timestamp;

use crate::{
    events::{
        domain_event::DomainEvent,
        payloads::{self, Payload},
    },
    population::{
        organization::{BankAccount, Organization},
        payment_series::PaymentSeries,
    },
};

/// The maximum number of payment events for one change: a series can contain thousands of payments.
const MAX_PAYMENT_EVENTS: usize = 100;

/// The events that subscribers are notified about when `before` becomes `after`. Changes of names,
/// users and `archived` cause no event.
pub(crate) fn events(
    before: &Organization,
    after: &Organization,
    now: Timestamp,
) -> Vec<DomainEvent> {
    let Some(id) = after.id.as_deref() else {
        return Vec::new();
    };

    [
        bank_account_events(before, after),
        payment_events(before, after),
        verification_events(before, after),
    ]
    .into_iter()
    .flatten()
    .map(|(event_type, payload)| DomainEvent::new(event_type, id, payload, now))
    .collect()
}

/// The type and the payload of each event.
type EventContents = Vec<(&'static str, Payload)>;

fn bank_account_events(before: &Organization, after: &Organization) -> EventContents {
    let is_changed = |known: &BankAccount, account: &BankAccount| {
        (known.archived, &known.status) != (account.archived, &account.status)
    };

    after
        .bank_accounts
        .iter()
        .enumerate()
        .filter_map(|(position, account)| {
            let known = before
                .bank_accounts
                .iter()
                .find(|known| known.id == account.id);
            match known {
                None => Some((
                    "bank-account.created",
                    payloads::created_account(after, position),
                )),
                Some(known) if is_changed(known, account) => {
                    Some(("bank-account.updated", payloads::updated_account(account)))
                }
                Some(_) => None,
            }
        })
        .collect()
}

fn payment_events(before: &Organization, after: &Organization) -> EventContents {
    new_payments(&before.payments, &after.payments)
        .into_iter()
        .map(|(series, index)| ("payment.updated", payloads::payment(after, series, index)))
        .collect()
}

/// The position of the series and the index in it, for each payment of a series that `before` does
/// not contain. A changed series counts as new.
fn new_payments(before: &[PaymentSeries], after: &[PaymentSeries]) -> Vec<(usize, usize)> {
    let mut known: Vec<&PaymentSeries> = before.iter().collect();
    let mut new = Vec::new();
    for (position, series) in after.iter().enumerate() {
        match known.iter().position(|known| *known == series) {
            Some(found) => drop(known.remove(found)),
            None => new.extend((0..series.count).map(|index| (position, index))),
        }
    }
    new.truncate(MAX_PAYMENT_EVENTS);

    new
}

fn verification_events(before: &Organization, after: &Organization) -> EventContents {
    after
        .verification
        .iter()
        .filter(|_| before.verification != after.verification)
        .map(|verification| {
            (
                "risk-verification.updated",
                payloads::risk_verification(verification),
            )
        })
        .collect()
}
