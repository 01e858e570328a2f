//! The cases that organizations stand for: which there are, and how often each occurs.

mod build;

use strum::{Display, EnumIter, IntoEnumIterator};

pub(crate) use crate::population::scenarios::build::{Setting, build};

/// One case. Those from [`Scenario::OrganizationWithoutId`] on break the contract and occur only on
/// demand.
#[derive(Clone, Copy, Debug, Display, EnumIter, PartialEq, Eq, PartialOrd, Ord)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum Scenario {
    PaidRecently,
    NeverPaid,
    NoBankAccount,
    Dormant30,
    Dormant60,
    Dormant90,
    Archived,
    Declined,
    NoUsers,
    OnlyArchivedUsers,
    VerificationNotStarted,
    VerificationInProgress,
    VerificationPending,
    VerificationOnHold,
    NoBankAccountInReview,
    OnlyArchivedVerifiedBank,
    OldArchivedPendingBank,
    PaidOnceThenLostBank,
    FreshArchivedPendingBank,
    FreshArchivedBankWithoutUpdatedTime,
    PendingBank,
    NotVerifiedBank,
    RejectedBanks,
    BlockedBesidePendingBank,
    PaidOnceThenBankRejected,
    VerifiedBesideBlockedBank,
    OnlyCancelledPayments,
    OnlyVoidPayments,
    OnlyOfflinePayments,
    CancelledBeyondTenPages,
    FuturePayment,
    PaidByCardWithoutBank,
    CancelledNewestPaidBefore,
    CancelledNewestDormantBefore,
    ManyPayments,
    ScheduledPayment,
    PaymentWithoutStatus,
    Exactly30Days,
    Exactly60Days,
    Exactly90Days,
    SecondYoungerThan30Days,
    SecondYoungerThan60Days,
    SecondYoungerThan90Days,
    UserWithoutAddress,
    AdministratorWithoutAddress,
    NoAdministrator,
    ArchivedAdministrator,
    SameAddressTwice,
    FiveAdministrators,
    SharedAddressOne,
    SharedAddressTwo,
    QuotesInName,
    EmojiInName,
    ScriptInName,
    LongName,
    LineBreakInName,
    OrganizationWithoutId,
    OrganizationNotAnObject,
    OrganizationWithoutName,
    UserNotAnObject,
    UserWithoutId,
    UnknownRole,
    BrokenAddress,
    BankNotAnObject,
    UnknownBankStatus,
    UnknownDecision,
    PaymentNotAnObject,
    PaymentWithoutCreatedTime,
    PaymentAmountAsText,
    UnknownPaymentStatus,
}

impl Scenario {
    /// Whether a client can tell its organization apart from others.
    pub(crate) fn has_id(self) -> bool {
        !matches!(
            self,
            Self::OrganizationWithoutId | Self::OrganizationNotAnObject
        )
    }
}

/// The scenarios of which there is one each, in the order of the list.
pub(crate) fn guaranteed(bad_records: bool) -> Vec<Scenario> {
    let (bad, usual): (Vec<_>, Vec<_>) =
        Scenario::iter().partition(|scenario| *scenario >= Scenario::OrganizationWithoutId);
    if bad_records {
        [bad, usual].concat()
    } else {
        usual
    }
}

/// The scenario of any further organization, in realistic proportions.
pub(crate) fn usual(draw: u64) -> Scenario {
    let total: u64 = PROPORTIONS.iter().map(|(_, weight)| weight).sum();
    let mut rest = draw % total;
    for (scenario, weight) in PROPORTIONS {
        if rest < *weight {
            return *scenario;
        }
        rest -= weight;
    }
    Scenario::PaidRecently
}

/// Our estimate of a partner's customers, in thousandths; no source states it.
const PROPORTIONS: &[(Scenario, u64)] = &[
    (Scenario::PaidRecently, 400),
    (Scenario::ScheduledPayment, 40),
    (Scenario::PaidByCardWithoutBank, 10),
    (Scenario::Dormant30, 90),
    (Scenario::Dormant60, 60),
    (Scenario::Dormant90, 80),
    (Scenario::NeverPaid, 80),
    (Scenario::OnlyCancelledPayments, 10),
    (Scenario::OnlyOfflinePayments, 10),
    (Scenario::FreshArchivedPendingBank, 30),
    (Scenario::PendingBank, 25),
    (Scenario::NotVerifiedBank, 15),
    (Scenario::RejectedBanks, 10),
    (Scenario::NoBankAccount, 40),
    (Scenario::NoBankAccountInReview, 10),
    (Scenario::PaidOnceThenLostBank, 10),
    (Scenario::VerificationNotStarted, 20),
    (Scenario::VerificationInProgress, 15),
    (Scenario::VerificationOnHold, 5),
    (Scenario::NoUsers, 5),
    (Scenario::Archived, 20),
    (Scenario::Declined, 5),
    (Scenario::FiveAdministrators, 5),
    (Scenario::NoAdministrator, 5),
];
