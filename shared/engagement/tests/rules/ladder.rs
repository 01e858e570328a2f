//! The ladder: every row of its table, its order, and its boundaries to the nanosecond.

use engagement::{
    BankStatus::{self, Blocked, Expired, Invalid, NotVerified, Pending, Undefined, Verified},
    Snapshot, Stage, StageReason, Verification, classify,
};
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use strum::IntoEnumIterator;

use crate::support::{
    NANOSECOND, SECOND, administrator, ago, archived_bank, as_of, bank, days, history, later, paid,
    ready,
};

#[rstest]
#[case::archived(Snapshot { archived: true, ..ready() }, StageReason::Archived)]
#[case::archived_and_nothing_else(Snapshot { archived: true, ..Snapshot::default() }, StageReason::Archived)]
#[case::archived_beats_a_payment(Snapshot { archived: true, ..paid(days(1)) }, StageReason::Archived)]
#[case::archived_beats_declined(Snapshot { archived: true, ..with_verification(Verification::Decline) }, StageReason::Archived)]
#[case::declined(with_verification(Verification::Decline), StageReason::Declined)]
#[case::declined_beats_a_payment(Snapshot { verification: Some(Verification::Decline), ..paid(days(1)) }, StageReason::Declined)]
#[case::declined_beats_no_users(Snapshot { users: vec![], ..with_verification(Verification::Decline) }, StageReason::Declined)]
#[case::declined_beats_no_bank(Snapshot { banks: vec![], ..with_verification(Verification::Decline) }, StageReason::Declined)]
fn row_1_closed(#[case] signals: Snapshot, #[case] reason: StageReason) {
    assert_eq!(classify(&signals, as_of()), (Stage::Closed, reason));
}

#[rstest]
#[case::paid_just_now(paid(days(0)))]
#[case::paid_yesterday(paid(days(1)))]
#[case::a_second_short_of_thirty_days(paid(days(30) - SECOND))]
#[case::paid_in_the_future(paid(-days(3)))]
#[case::beats_no_users(Snapshot { users: vec![], ..paid(days(1)) })]
#[case::beats_no_bank_account(Snapshot { banks: vec![], ..paid(days(1)) })]
#[case::beats_rejected_bank_accounts(Snapshot { banks: vec![bank(Blocked)], ..paid(days(1)) })]
#[case::beats_verification_on_hold(Snapshot { banks: vec![], verification: Some(Verification::Hold), ..paid(days(1)) })]
#[case::the_newest_payment_counts(Snapshot { payments: history([ago(days(100)), ago(days(2)), ago(days(45))]), ..ready() })]
fn row_2_active(#[case] signals: Snapshot) {
    assert_eq!(
        classify(&signals, as_of()),
        (Stage::Active, StageReason::PaidRecently)
    );
}

#[rstest]
#[case::nothing_known(Snapshot::default(), StageReason::NoUsers)]
#[case::no_users_beats_banks(Snapshot { users: vec![], ..ready() }, StageReason::NoUsers)]
#[case::no_users_beats_an_old_payment(Snapshot { users: vec![], ..paid(days(45)) }, StageReason::NoUsers)]
#[case::no_users_beats_approval(Snapshot { users: vec![], banks: vec![], ..with_verification(Verification::Approve) }, StageReason::NoUsers)]
#[case::archived_users_alone(only_archived_user(), StageReason::NoUsers)]
#[case::verification_absent(Snapshot { banks: vec![], ..ready() }, StageReason::VerificationNotStarted)]
#[case::verification_not_started(
    enrolling_with(Verification::NotStarted),
    StageReason::VerificationNotStarted
)]
#[case::verification_in_progress(
    enrolling_with(Verification::InProgress),
    StageReason::VerificationInProgress
)]
#[case::verification_on_hold(enrolling_with(Verification::Hold), StageReason::VerificationOnHold)]
fn row_3_enrolling(#[case] signals: Snapshot, #[case] reason: StageReason) {
    assert_eq!(classify(&signals, as_of()), (Stage::Enrolling, reason));
}

#[rstest]
#[case::approved(enrolling_with(Verification::Approve))]
#[case::in_review(enrolling_with(Verification::Review))]
#[case::paid_once_beats_missing_verification(Snapshot { banks: vec![], ..paid(days(45)) })]
#[case::paid_once_beats_verification_on_hold(Snapshot { banks: vec![], verification: Some(Verification::Hold), ..paid(days(45)) })]
#[case::beats_dormant_90(Snapshot { banks: vec![], ..paid(days(400)) })]
#[case::archived_verified_account_does_not_count(Snapshot { banks: vec![archived_bank(Verified, days(1))], ..paid(days(45)) })]
fn row_4_no_bank_account(#[case] signals: Snapshot) {
    assert_eq!(
        classify(&signals, as_of()),
        (Stage::NoBankAccount, StageReason::NoneConnected)
    );
}

#[rstest]
#[case::blocked(&[Blocked], StageReason::Rejected)]
#[case::expired(&[Expired], StageReason::Rejected)]
#[case::invalid(&[Invalid], StageReason::Rejected)]
#[case::all_rejected(&[Blocked, Expired, Invalid], StageReason::Rejected)]
#[case::pending(&[Pending], StageReason::Pending)]
#[case::not_verified(&[NotVerified], StageReason::Pending)]
#[case::a_status_that_bill_adds_later(&[Undefined], StageReason::Pending)]
#[case::one_of_several_can_still_be_verified(&[Blocked, Pending, Invalid], StageReason::Pending)]
#[case::rejected_and_unknown(&[Blocked, Undefined], StageReason::Pending)]
fn row_5_bank_unverified(
    #[case] statuses: &[BankStatus],
    #[case] reason: StageReason,
    #[values(None, Some(45), Some(400))] paid_days_ago: Option<i64>,
) {
    let signals = Snapshot {
        banks: statuses.iter().copied().map(bank).collect(),
        ..paid_days_ago.map_or_else(ready, |age| paid(days(age)))
    };
    assert_eq!(classify(&signals, as_of()), (Stage::BankUnverified, reason));
}

#[rstest]
#[case::one_verified_account(ready())]
#[case::one_of_several_is_verified(Snapshot { banks: vec![bank(Blocked), bank(Verified), bank(Pending)], ..ready() })]
#[case::verification_does_not_matter_any_more(with_verification(Verification::Hold))]
fn row_6_awaiting_first_payment(#[case] signals: Snapshot) {
    assert_eq!(
        classify(&signals, as_of()),
        (Stage::AwaitingFirstPayment, StageReason::NeverPaid)
    );
}

#[rstest]
#[case::thirty_days_but_a_nanosecond(days(30) - NANOSECOND, Stage::Active)]
#[case::thirty_days_but_a_second(days(30) - SECOND, Stage::Active)]
#[case::thirty_days(days(30), Stage::Dormant30)]
#[case::thirty_days_and_a_second(days(30) + SECOND, Stage::Dormant30)]
#[case::sixty_days_but_a_nanosecond(days(60) - NANOSECOND, Stage::Dormant30)]
#[case::sixty_days_but_a_second(days(60) - SECOND, Stage::Dormant30)]
#[case::sixty_days(days(60), Stage::Dormant60)]
#[case::sixty_days_and_a_second(days(60) + SECOND, Stage::Dormant60)]
#[case::ninety_days_but_a_nanosecond(days(90) - NANOSECOND, Stage::Dormant60)]
#[case::ninety_days_but_a_second(days(90) - SECOND, Stage::Dormant60)]
#[case::ninety_days(days(90), Stage::Dormant90)]
#[case::ninety_days_and_a_second(days(90) + SECOND, Stage::Dormant90)]
#[case::years(days(3650), Stage::Dormant90)]
fn row_7_dormant_and_its_boundaries(#[case] age: SignedDuration, #[case] stage: Stage) {
    let reason = if stage == Stage::Active {
        StageReason::PaidRecently
    } else {
        StageReason::LastPayment
    };
    assert_eq!(classify(&paid(age), as_of()), (stage, reason));
}

#[test]
fn a_day_is_twenty_four_hours_whatever_local_clocks_do() {
    let payment: Timestamp = "2026-03-01T12:00:00-05:00".parse().unwrap();
    let as_of: Timestamp = "2026-03-31T13:00:00-04:00".parse().unwrap();
    let signals = Snapshot {
        payments: history([payment]),
        ..ready()
    };
    assert_eq!(classify(&signals, as_of).0, Stage::Dormant30);
    assert_eq!(classify(&signals, as_of - SECOND).0, Stage::Active);
}

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
fn an_archived_account_counts_only_while_it_is_being_added(
    #[case] status: BankStatus,
    #[case] age: SignedDuration,
    #[case] counts: bool,
) {
    let account = archived_bank(status, age);
    assert_eq!(account.counts(as_of()), counts);
    let signals = Snapshot {
        banks: vec![account],
        ..with_verification(Verification::Approve)
    };
    assert_eq!(
        classify(&signals, as_of()).0,
        if counts {
            Stage::BankUnverified
        } else {
            Stage::NoBankAccount
        }
    );
}

#[test]
fn an_archived_account_without_a_time_does_not_count() {
    let account = engagement::BankAccount {
        updated_at: None,
        ..archived_bank(Pending, days(0))
    };
    assert!(!account.counts(as_of()));
}

#[test]
fn an_unarchived_account_counts_whatever_its_status_and_age() {
    for status in BankStatus::iter() {
        for updated_at in [
            None,
            Some(Timestamp::MIN),
            Some(Timestamp::MAX),
            Some(later(days(1))),
        ] {
            assert!(
                engagement::BankAccount {
                    updated_at,
                    ..bank(status)
                }
                .counts(as_of()),
                "{status:?} {updated_at:?}"
            );
        }
    }
}

#[test]
fn a_freshly_added_account_ends_enrolling() {
    let signals = Snapshot {
        banks: vec![archived_bank(Pending, days(1))],
        ..ready()
    };
    assert_eq!(
        classify(&signals, as_of()),
        (Stage::BankUnverified, StageReason::Pending)
    );
}

#[rstest]
#[case(Stage::Closed, "closed")]
#[case(Stage::Enrolling, "enrolling")]
#[case(Stage::NoBankAccount, "no_bank_account")]
#[case(Stage::BankUnverified, "bank_unverified")]
#[case(Stage::AwaitingFirstPayment, "awaiting_first_payment")]
#[case(Stage::Active, "active")]
#[case(Stage::Dormant30, "dormant_30")]
#[case(Stage::Dormant60, "dormant_60")]
#[case(Stage::Dormant90, "dormant_90")]
fn a_stage_has_one_name_everywhere(#[case] stage: Stage, #[case] name: &str) {
    assert_eq!(stage.to_string(), name);
    assert_eq!(<&str>::from(stage), name);
    assert_eq!(name.parse(), Ok(stage));
    assert_eq!(serde_json::to_value(stage).unwrap(), name);
    assert_eq!(serde_json::from_value::<Stage>(name.into()).unwrap(), stage);
}

#[test]
fn every_reason_has_the_name_of_the_specification() {
    let names: Vec<String> = StageReason::iter()
        .map(|reason| reason.to_string())
        .collect();
    let specified = [
        "archived",
        "declined",
        "paid_recently",
        "no_users",
        "verification_not_started",
        "verification_in_progress",
        "verification_on_hold",
        "none_connected",
        "rejected",
        "pending",
        "never_paid",
        "last_payment",
    ];
    assert_eq!(names, specified);
    for reason in StageReason::iter() {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.to_string());
    }
}

fn with_verification(verification: Verification) -> Snapshot {
    Snapshot {
        verification: Some(verification),
        ..ready()
    }
}

fn enrolling_with(verification: Verification) -> Snapshot {
    Snapshot {
        banks: vec![],
        ..with_verification(verification)
    }
}

fn only_archived_user() -> Snapshot {
    Snapshot {
        users: vec![engagement::User {
            archived: true,
            ..administrator(1)
        }],
        ..ready()
    }
}
