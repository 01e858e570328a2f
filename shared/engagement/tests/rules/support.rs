//! Builders for the facts of tests. Times are relative to [`as_of`].

use engagement::{
    AddressHashKey, BankAccount, BankStatus, Campaign, CampaignId, Campaigns, Category, Decision,
    Organization, OrganizationId, Payment, PaymentHistory, Role, Rules, Snapshot, Stage, Step,
    StepId, User, decide,
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

/// The time of the first sync.
pub fn as_of() -> Timestamp {
    time("2026-03-31T12:00:00Z")
}

/// The time that is `age` before the first sync.
pub fn ago(age: SignedDuration) -> Timestamp {
    as_of() - age
}

/// The time that is `duration` after the first sync.
pub fn later(duration: SignedDuration) -> Timestamp {
    as_of() + duration
}

pub fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn organization_id() -> OrganizationId {
    "00802KESTRELBAKEm7q2".parse().unwrap()
}

pub fn address_key() -> AddressHashKey {
    AddressHashKey::new("a key for tests".to_owned().into())
}

/// An organization that can pay and never has: one administrator with an address, one verified bank
/// account.
pub fn ready_to_pay() -> Snapshot {
    Snapshot {
        users: Some(vec![administrator(1)]),
        banks: Some(vec![bank(BankStatus::Verified)]),
        payments: Some(PaymentHistory::default()),
        ..Snapshot::default()
    }
}

/// Every list was read and is empty.
pub fn empty() -> Snapshot {
    Snapshot {
        users: Some(vec![]),
        banks: Some(vec![]),
        payments: Some(PaymentHistory::default()),
        ..Snapshot::default()
    }
}

/// An organization that can pay and whose last payment has this age.
pub fn paid(age: SignedDuration) -> Snapshot {
    Snapshot {
        payments: Some(history([ago(age)])),
        ..ready_to_pay()
    }
}

/// Administrator number `number`. The lower the number, the older the user.
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

/// A step that becomes due this long after the start of its stage, once.
pub fn step(id: &str, after: SignedDuration) -> Step {
    Step {
        id: StepId::new(id),
        after,
        repeat_after: None,
    }
}

pub fn repeating_step(id: &str, after: SignedDuration, repeat_after: SignedDuration) -> Step {
    Step {
        repeat_after: Some(repeat_after),
        ..step(id, after)
    }
}

/// A campaign for administrators, at most three.
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

/// Rules with these campaigns and the default cadences.
pub fn rules<const N: usize>(campaigns: [Campaign; N]) -> Rules {
    Rules {
        campaigns: Campaigns::new(campaigns).unwrap(),
        ..Rules::default()
    }
}

/// Rules with one campaign, for organizations like [`ready_to_pay`].
pub fn rules_with_steps<const N: usize>(steps: [Step; N]) -> Rules {
    rules([campaign(Stage::AwaitingFirstPayment, steps)])
}

/// The first sync of an organization, at [`as_of`].
pub fn first_sync(snapshot: &Snapshot, rules: &Rules) -> Decision {
    decide(&organization_id(), None, snapshot, rules, as_of())
}

/// A later sync.
pub fn next_sync(
    previous: &Organization,
    snapshot: &Snapshot,
    rules: &Rules,
    as_of: Timestamp,
) -> Decision {
    decide(&organization_id(), Some(previous), snapshot, rules, as_of)
}

/// The steps that a sync planned, once for each recipient.
pub fn planned_steps(decision: &Decision) -> Vec<&str> {
    decision
        .notices
        .iter()
        .map(|notice| notice.step.as_str())
        .collect()
}
