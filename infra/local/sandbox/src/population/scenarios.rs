//! The test cases that organizations represent, and how often each occurs.

pub(crate) mod context;
mod contract_violations;
pub(crate) mod facts;
mod payments;

use strum::{Display, EnumIter, IntoEnumIterator};

/// One test case. The cases from [`Scenario::OrganizationWithoutId`] on violate the contract and
/// occur only with bad records.
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
    /// Whether the organization's row has an id.
    pub(crate) fn has_id(self) -> bool {
        !matches!(
            self,
            Self::OrganizationWithoutId | Self::OrganizationNotAnObject
        )
    }
}

/// The scenarios that occur once each at the beginning of the list, in its order.
pub(crate) fn guaranteed(bad_records: bool) -> Vec<Scenario> {
    let (bad, good): (Vec<_>, Vec<_>) =
        Scenario::iter().partition(|scenario| *scenario >= Scenario::OrganizationWithoutId);

    if bad_records {
        [bad, good].concat()
    } else {
        good
    }
}

/// The scenario of any other organization, in realistic proportions. `random` is any number.
pub(crate) fn weighted(random: u64) -> Scenario {
    let total: u64 = PROPORTIONS.iter().map(|(_, weight)| weight).sum();
    let mut rest = random % total;

    for (scenario, weight) in PROPORTIONS {
        if rest < *weight {
            return *scenario;
        }
        rest -= weight;
    }

    Scenario::PaidRecently
}

/// The weight of each scenario in thousandths. The proportions are an estimate; there is no source.
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
