//! The ladder of engagement stages: one organization, one stage, first match wins.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::signals::{BankStatus, Snapshot, Verification};

/// Where an organization stands on its way to paying its bills, and how long it has been silent.
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
    /// Archived in BILL, or declined by its verification: nobody is written to.
    Closed,
    /// Started to enroll and has not finished.
    Enrolling,
    /// Enrolled, without a bank account to pay from.
    NoBankAccount,
    /// Has bank accounts, none of them verified.
    BankUnverified,
    /// Ready to pay, has never paid.
    AwaitingFirstPayment,
    /// Paid within the last 30 days.
    Active,
    /// Newest payment is 30 to 59 days old.
    #[serde(rename = "dormant_30")]
    #[strum(serialize = "dormant_30")]
    Dormant30,
    /// Newest payment is 60 to 89 days old.
    #[serde(rename = "dormant_60")]
    #[strum(serialize = "dormant_60")]
    Dormant60,
    /// Newest payment is 90 days old or older.
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
    strum::EnumString,
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
    /// `enrolling`: has no unarchived user.
    NoUsers,
    /// `enrolling`: risk verification has not begun.
    VerificationNotStarted,
    /// `enrolling`: risk verification is running.
    VerificationInProgress,
    /// `enrolling`: BILL wants more information.
    VerificationOnHold,
    /// `no_bank_account`: none is connected.
    NoneConnected,
    /// `bank_unverified`: every account is blocked, expired or invalid.
    Rejected,
    /// `bank_unverified`: at least one account can still be verified.
    Pending,
    /// `awaiting_first_payment`: never paid.
    NeverPaid,
    /// `dormant_*`: the age of the newest payment.
    LastPayment,
}

/// Ages of the newest payment at which an organization becomes dormant: 30, 60 and 90 times 24
/// hours.
pub(crate) const DORMANCY_THRESHOLDS: [SignedDuration; 3] = [
    SignedDuration::from_hours(30 * 24),
    SignedDuration::from_hours(60 * 24),
    SignedDuration::from_hours(90 * 24),
];

/// The stage of an organization as seen at `as_of`, and the reason for it. Total: any signals give
/// exactly one stage.
///
/// The order matters. A customer who paid once and then lost the bank account is helped more by
/// "connect a bank account" than by "we miss you"; whoever paid within 30 days is able to pay, by
/// card for instance.
pub fn classify(signals: &Snapshot, as_of: Timestamp) -> (Stage, StageReason) {
    let [thirty, sixty, ninety] = DORMANCY_THRESHOLDS;
    let payment_age = signals.payments.newest().map(|newest| age(newest, as_of));
    if signals.archived {
        return (Stage::Closed, StageReason::Archived);
    }
    if signals.verification == Some(Verification::Decline) {
        return (Stage::Closed, StageReason::Declined);
    }
    if payment_age.is_some_and(|age| age < thirty) {
        return (Stage::Active, StageReason::PaidRecently);
    }
    if !signals.users.iter().any(|user| !user.archived) {
        return (Stage::Enrolling, StageReason::NoUsers);
    }
    let banks: Vec<&BankStatus> = signals.connected_bank_statuses(as_of).collect();
    if banks.is_empty() {
        if payment_age.is_none()
            && let Some(reason) = unfinished_verification(signals.verification)
        {
            return (Stage::Enrolling, reason);
        }
        return (Stage::NoBankAccount, StageReason::NoneConnected);
    }
    if !banks.contains(&&BankStatus::Verified) {
        let rejected = banks.iter().all(|status| status.is_rejected());
        return (
            Stage::BankUnverified,
            if rejected {
                StageReason::Rejected
            } else {
                StageReason::Pending
            },
        );
    }
    match payment_age {
        None => (Stage::AwaitingFirstPayment, StageReason::NeverPaid),
        Some(age) if age >= ninety => (Stage::Dormant90, StageReason::LastPayment),
        Some(age) if age >= sixty => (Stage::Dormant60, StageReason::LastPayment),
        Some(_) => (Stage::Dormant30, StageReason::LastPayment),
    }
}

/// `as_of - then`; a time in the future has age zero.
pub(crate) fn age(then: Timestamp, as_of: Timestamp) -> SignedDuration {
    as_of.duration_since(then).max(SignedDuration::ZERO)
}

fn unfinished_verification(verification: Option<Verification>) -> Option<StageReason> {
    match verification {
        None | Some(Verification::NotStarted) => Some(StageReason::VerificationNotStarted),
        Some(Verification::InProgress) => Some(StageReason::VerificationInProgress),
        Some(Verification::Hold) => Some(StageReason::VerificationOnHold),
        Some(Verification::Approve | Verification::Review | Verification::Decline) => None,
    }
}
