//! The stages of an organization, and the rules that determine its stage.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    facts::{BankFacts, Facts},
    snapshot::{Snapshot, Verification},
    time::age,
};

/// How far an organization is on its way to paying bills, and how long ago it last paid. An
/// organization is in exactly one stage.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::EnumIter,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Stage {
    /// Archived in BILL, or declined by risk verification. Nobody gets e-mails.
    Closed,
    /// Has not finished enrolling.
    Enrolling,
    /// Enrolled, but no bank account is connected.
    NoBankAccount,
    /// Bank accounts are connected, but none is verified.
    BankUnverified,
    /// Ready to pay, but has never paid.
    AwaitingFirstPayment,
    /// Paid within the last 30 days.
    Active,
    /// The last payment is 30 to 59 days old.
    #[serde(rename = "dormant_30")]
    #[strum(serialize = "dormant_30")]
    Dormant30,
    /// The last payment is 60 to 89 days old.
    #[serde(rename = "dormant_60")]
    #[strum(serialize = "dormant_60")]
    Dormant60,
    /// The last payment is at least 90 days old.
    #[serde(rename = "dormant_90")]
    #[strum(serialize = "dormant_90")]
    Dormant90,
}

/// Why an organization is in its stage.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumIter,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum StageReason {
    /// `closed`: the organization is archived.
    Archived,
    /// `closed`: risk verification declined it.
    Declined,
    /// `active`: paid within 30 days.
    PaidRecently,
    /// `enrolling`: the organization has no unarchived user.
    NoUsers,
    /// `enrolling`: risk verification has not started.
    VerificationNotStarted,
    /// `enrolling`: risk verification is in progress.
    VerificationInProgress,
    /// `enrolling`: BILL needs more information.
    VerificationOnHold,
    /// `no_bank_account`: no bank account is connected.
    NoneConnected,
    /// `bank_unverified`: every account is blocked, expired or invalid.
    Rejected,
    /// `bank_unverified`: at least one account can still be verified.
    Pending,
    /// `awaiting_first_payment`: the organization has never paid.
    NeverPaid,
    /// `dormant_*`: the last payment is at least 30 days old.
    LastPayment,
}

/// Ages of the last payment at which the stage changes: 30, 60 and 90 days of 24 hours.
pub(crate) const DORMANCY_THRESHOLDS: [SignedDuration; 3] = [
    SignedDuration::from_hours(30 * 24),
    SignedDuration::from_hours(60 * 24),
    SignedDuration::from_hours(90 * 24),
];

/// Determines the stage of an organization at `as_of`, and the reason for it. The first rule that
/// matches applies, and any snapshot matches one.
///
/// The order of the rules matters:
///
/// - An organization that paid within 30 days is active even without a bank account, because it is
///   able to pay, for example by card.
/// - A missing bank account comes before dormancy: a customer who paid once and then lost the bank
///   account needs to connect one before paying again.
///
/// A fact that the snapshot does not have counts as empty.
pub fn classify(snapshot: &Snapshot, as_of: Timestamp) -> (Stage, StageReason) {
    classify_facts(&Facts::new(None, snapshot, as_of))
}

/// [`classify`], by facts that were read in different syncs.
pub(crate) fn classify_facts(facts: &Facts) -> (Stage, StageReason) {
    let [thirty, sixty, ninety] = DORMANCY_THRESHOLDS;
    let payment_age = facts
        .last_payment_at
        .map(|paid_at| age(paid_at, facts.as_of));

    if facts.archived {
        return (Stage::Closed, StageReason::Archived);
    }
    if facts.verification == Some(Verification::Decline) {
        return (Stage::Closed, StageReason::Declined);
    }
    if payment_age.is_some_and(|age| age < thirty) {
        return (Stage::Active, StageReason::PaidRecently);
    }
    if facts.users == 0 {
        return (Stage::Enrolling, StageReason::NoUsers);
    }

    let BankFacts {
        connected,
        verified,
        all_rejected,
    } = facts.banks;
    if connected == 0 {
        if payment_age.is_none()
            && let Some(reason) = unfinished_verification(facts.verification)
        {
            return (Stage::Enrolling, reason);
        }
        return (Stage::NoBankAccount, StageReason::NoneConnected);
    }
    if verified == 0 {
        let reason = if all_rejected {
            StageReason::Rejected
        } else {
            StageReason::Pending
        };
        return (Stage::BankUnverified, reason);
    }

    match payment_age {
        None => (Stage::AwaitingFirstPayment, StageReason::NeverPaid),
        Some(age) if age >= ninety => (Stage::Dormant90, StageReason::LastPayment),
        Some(age) if age >= sixty => (Stage::Dormant60, StageReason::LastPayment),
        Some(_) => (Stage::Dormant30, StageReason::LastPayment),
    }
}

/// Why the organization is still enrolling. `None`: verification is finished.
fn unfinished_verification(verification: Option<Verification>) -> Option<StageReason> {
    match verification {
        None | Some(Verification::NotStarted) => Some(StageReason::VerificationNotStarted),
        Some(Verification::InProgress) => Some(StageReason::VerificationInProgress),
        Some(Verification::Hold) => Some(StageReason::VerificationOnHold),
        Some(Verification::Approve | Verification::Review | Verification::Decline) => None,
    }
}
