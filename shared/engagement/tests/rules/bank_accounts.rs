//! Bank accounts: which of them are connected.

use engagement::{
    BankAccount,
    BankStatus::{self, Blocked, Expired, Invalid, NotVerified, Pending, Undefined, Verified},
    Snapshot, Stage, StageReason, Verification, classify,
};
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use strum::IntoEnumIterator;

use crate::support::{SECOND, archived_bank, as_of, bank, days, later, ready_to_pay};

#[rstest]
#[case::just_added(Pending, days(0), true)]
#[case::a_second_short_of_thirty_days(Pending, days(30) - SECOND, true)]
#[case::thirty_days(Pending, days(30), false)]
#[case::thirty_days_and_a_second(Pending, days(30) + SECOND, false)]
#[case::not_verified_a_second_short(NotVerified, days(30) - SECOND, true)]
#[case::not_verified_thirty_days(NotVerified, days(30), false)]
#[case::updated_in_the_future(Pending, -days(2), true)]
#[case::archived_verified(Verified, days(0), false)]
#[case::archived_blocked(Blocked, days(0), false)]
#[case::archived_expired(Expired, days(0), false)]
#[case::archived_invalid(Invalid, days(0), false)]
#[case::archived_unknown(Undefined, days(0), false)]
fn archived_bank_account_is_connected_only_while_verification_is_pending(
    #[case] status: BankStatus,
    #[case] age: SignedDuration,
    #[case] is_connected: bool,
) {
    let account = archived_bank(status, age);

    assert_eq!(account.is_connected(as_of()), is_connected);

    let snapshot = Snapshot {
        banks: Some(vec![account]),
        verification: Some(Verification::Approve),
        ..ready_to_pay()
    };

    assert_eq!(
        classify(&snapshot, as_of()).0,
        if is_connected {
            Stage::BankUnverified
        } else {
            Stage::NoBankAccount
        }
    );
}

#[test]
fn archived_bank_account_without_updated_at_is_not_connected() {
    let account = BankAccount {
        updated_at: None,
        ..archived_bank(Pending, days(0))
    };
    assert!(!account.is_connected(as_of()));
}

#[test]
fn unarchived_bank_account_is_connected_at_any_status_and_age() {
    for status in BankStatus::iter() {
        for updated_at in [
            None,
            Some(Timestamp::MIN),
            Some(Timestamp::MAX),
            Some(later(days(1))),
        ] {
            assert!(
                BankAccount {
                    updated_at,
                    ..bank(status)
                }
                .is_connected(as_of()),
                "{status:?} {updated_at:?}"
            );
        }
    }
}

#[test]
fn newly_added_bank_account_ends_enrolling() {
    let snapshot = Snapshot {
        banks: Some(vec![archived_bank(Pending, days(1))]),
        ..ready_to_pay()
    };
    assert_eq!(
        classify(&snapshot, as_of()),
        (Stage::BankUnverified, StageReason::Pending)
    );
}
