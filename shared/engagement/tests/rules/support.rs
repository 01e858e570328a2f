//! Builders for the facts that tests speak of. Everything is relative to [`as_of`].

use engagement::{
    BankAccount, BankStatus, Campaign, CampaignId, Campaigns, Category, Decision, Organization,
    OrganizationId, Payment, PaymentHistory, Role, Rules, Snapshot, Stage, Step, StepId, User,
    decide,
};
use jiff::{SignedDuration, Timestamp};

pub const SECOND: SignedDuration = SignedDuration::from_secs(1);
pub const NANOSECOND: SignedDuration = SignedDuration::from_nanos(1);

pub const fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

pub const fn days(days: i64) -> SignedDuration {
    hours(24 * days)
}

/// The moment of the check in every test that needs one only.
pub fn as_of() -> Timestamp {
    time("2026-03-31T12:00:00Z")
}

/// The moment that lies `age` before the check.
pub fn ago(age: SignedDuration) -> Timestamp {
    as_of() - age
}

/// The moment that lies `duration` after the check.
pub fn later(duration: SignedDuration) -> Timestamp {
    as_of() + duration
}

pub fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn organization_id() -> OrganizationId {
    "00802KESTRELBAKEm7q2".parse().unwrap()
}

/// An organization that can pay and never has: one administrator with an address, one verified bank
/// account.
pub fn ready() -> Snapshot {
    Snapshot {
        users: vec![administrator(1)],
        banks: vec![bank(BankStatus::Verified)],
        ..Snapshot::default()
    }
}

/// An organization that can pay and whose newest payment has this age.
pub fn paid(age: SignedDuration) -> Snapshot {
    Snapshot {
        payments: history([ago(age)]),
        ..ready()
    }
}

/// Administrator number `number`; the lower the number, the older the user.
pub fn administrator(number: u8) -> User {
    User {
        id: format!("006USER{number:03}").parse().unwrap(),
        archived: false,
        first_name: None,
        email: Some(format!("user{number}@kestrel.example").parse().unwrap()),
        role: Some(Role::Administrator),
        created_at: Some(ago(days(400)) + hours(number.into())),
    }
}

pub fn bank(status: BankStatus) -> BankAccount {
    BankAccount {
        archived: false,
        status,
        updated_at: None,
    }
}

pub fn archived_bank(status: BankStatus, age: SignedDuration) -> BankAccount {
    BankAccount {
        archived: true,
        status,
        updated_at: Some(ago(age)),
    }
}

pub fn payment(created_at: Timestamp) -> Payment {
    Payment {
        created_at: Some(created_at),
        ..Payment::default()
    }
}

/// One page with payments of these times, read at [`as_of`].
pub fn history<const N: usize>(times: [Timestamp; N]) -> PaymentHistory {
    history_at(&times.map(payment), as_of())
}

/// One page of payments, read at `as_of`.
pub fn history_at(payments: &[Payment], as_of: Timestamp) -> PaymentHistory {
    let mut history = PaymentHistory::default();
    history.add_page(payments, as_of);
    history
}

/// A step that becomes due this long after its stage began, once.
pub fn step(id: &str, after: SignedDuration) -> Step {
    Step {
        id: StepId::new(id),
        after,
        repeat_after: None,
    }
}

pub fn repeating(id: &str, after: SignedDuration, repeat_after: SignedDuration) -> Step {
    Step {
        repeat_after: Some(repeat_after),
        ..step(id, after)
    }
}

/// A campaign for administrators, three at most.
pub fn campaign<const N: usize>(stage: Stage, steps: [Step; N]) -> Campaign {
    Campaign {
        id: CampaignId::new(format!("{stage}-campaign")),
        stage,
        category: Category::Onboarding,
        audience: vec![Role::Administrator],
        max_recipients: Campaign::DEFAULT_MAX_RECIPIENTS,
        priority: 50,
        steps: steps.into(),
    }
}

/// Rules of these campaigns, with the cadences of the specification.
pub fn rules<const N: usize>(campaigns: [Campaign; N]) -> Rules {
    Rules {
        campaigns: Campaigns::new(campaigns).unwrap(),
        ..Rules::default()
    }
}

/// The first check of an organization, at [`as_of`].
pub fn first(signals: &Snapshot, rules: &Rules) -> Decision {
    decide(&organization_id(), None, signals, rules, as_of())
}

/// A later check.
pub fn again(
    previous: &Organization,
    signals: &Snapshot,
    rules: &Rules,
    as_of: Timestamp,
) -> Decision {
    decide(&organization_id(), Some(previous), signals, rules, as_of)
}

/// The steps that a check planned, once for each recipient.
pub fn planned(decision: &Decision) -> Vec<&str> {
    decision
        .notices
        .iter()
        .map(|notice| notice.step.as_str())
        .collect()
}
