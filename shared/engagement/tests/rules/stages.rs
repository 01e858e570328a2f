//! Stages: every rule, the order of the rules, and their boundaries to the nanosecond.

use engagement::{
    BankStatus::{self, Blocked, Expired, Invalid, NotVerified, Pending, Undefined, Verified},
    Snapshot, Stage, StageReason, User, Verification, classify,
};
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use strum::IntoEnumIterator;

use crate::support::{
    NANOSECOND, SECOND, administrator, ago, archived_bank, as_of, bank, days, history, paid,
    ready_to_pay,
};

#[rstest]
#[case::archived(Snapshot { archived: true, ..ready_to_pay() }, StageReason::Archived)]
#[case::archived_and_nothing_else(
    Snapshot { archived: true, ..Snapshot::default() },
    StageReason::Archived
)]
#[case::archived_beats_a_payment(
    Snapshot { archived: true, ..paid(days(1)) },
    StageReason::Archived
)]
#[case::archived_beats_declined(
    Snapshot { archived: true, ..with_verification(Verification::Decline) },
    StageReason::Archived
)]
#[case::declined(with_verification(Verification::Decline), StageReason::Declined)]
#[case::declined_beats_a_payment(
    Snapshot { verification: Some(Verification::Decline), ..paid(days(1)) },
    StageReason::Declined
)]
#[case::declined_beats_no_users(
    Snapshot { users: Some(vec![]), ..with_verification(Verification::Decline) },
    StageReason::Declined
)]
#[case::declined_beats_no_bank(
    Snapshot { banks: Some(vec![]), ..with_verification(Verification::Decline) },
    StageReason::Declined
)]
fn rule_1_closed(#[case] snapshot: Snapshot, #[case] reason: StageReason) {
    assert_eq!(classify(&snapshot, as_of()), (Stage::Closed, reason));
}

#[rstest]
#[case::paid_just_now(paid(days(0)))]
#[case::paid_yesterday(paid(days(1)))]
#[case::a_second_short_of_thirty_days(paid(days(30) - SECOND))]
#[case::paid_in_the_future(paid(-days(3)))]
#[case::beats_no_users(Snapshot { users: Some(vec![]), ..paid(days(1)) })]
#[case::beats_no_bank_account(Snapshot { banks: Some(vec![]), ..paid(days(1)) })]
#[case::beats_rejected_bank_accounts(Snapshot { banks: Some(vec![bank(Blocked)]), ..paid(days(1)) })]
#[case::beats_verification_on_hold(Snapshot {
    banks: Some(vec![]),
    verification: Some(Verification::Hold),
    ..paid(days(1))
})]
#[case::the_last_payment_counts(Snapshot {
    payments: Some(history([ago(days(100)), ago(days(2)), ago(days(45))])),
    ..ready_to_pay()
})]
fn rule_2_active(#[case] snapshot: Snapshot) {
    assert_eq!(
        classify(&snapshot, as_of()),
        (Stage::Active, StageReason::PaidRecently)
    );
}

#[rstest]
#[case::nothing_known(Snapshot::default(), StageReason::NoUsers)]
#[case::no_users_beats_banks(Snapshot { users: Some(vec![]), ..ready_to_pay() }, StageReason::NoUsers)]
#[case::no_users_beats_an_old_payment(
    Snapshot { users: Some(vec![]), ..paid(days(45)) },
    StageReason::NoUsers
)]
#[case::no_users_beats_approval(
    Snapshot { users: Some(vec![]), banks: Some(vec![]), ..with_verification(Verification::Approve) },
    StageReason::NoUsers
)]
#[case::only_archived_users(only_archived_user(), StageReason::NoUsers)]
#[case::verification_absent(
    Snapshot { banks: Some(vec![]), ..ready_to_pay() },
    StageReason::VerificationNotStarted
)]
#[case::verification_not_started(
    enrolling_with(Verification::NotStarted),
    StageReason::VerificationNotStarted
)]
#[case::verification_in_progress(
    enrolling_with(Verification::InProgress),
    StageReason::VerificationInProgress
)]
#[case::verification_on_hold(enrolling_with(Verification::Hold), StageReason::VerificationOnHold)]
fn rule_3_enrolling(#[case] snapshot: Snapshot, #[case] reason: StageReason) {
    assert_eq!(classify(&snapshot, as_of()), (Stage::Enrolling, reason));
}

#[rstest]
#[case::approved(enrolling_with(Verification::Approve))]
#[case::in_review(enrolling_with(Verification::Review))]
#[case::paid_once_beats_missing_verification(Snapshot { banks: Some(vec![]), ..paid(days(45)) })]
#[case::paid_once_beats_verification_on_hold(Snapshot {
    banks: Some(vec![]),
    verification: Some(Verification::Hold),
    ..paid(days(45))
})]
#[case::beats_dormant_90(Snapshot { banks: Some(vec![]), ..paid(days(400)) })]
#[case::archived_verified_account_does_not_count(Snapshot {
    banks: Some(vec![archived_bank(Verified, days(1))]),
    ..paid(days(45))
})]
fn rule_4_no_bank_account(#[case] snapshot: Snapshot) {
    assert_eq!(
        classify(&snapshot, as_of()),
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
fn rule_5_bank_unverified(
    #[case] statuses: &[BankStatus],
    #[case] reason: StageReason,
    #[values(None, Some(45), Some(400))] paid_days_ago: Option<i64>,
) {
    let snapshot = Snapshot {
        banks: Some(statuses.iter().copied().map(bank).collect()),
        ..paid_days_ago.map_or_else(ready_to_pay, |age| paid(days(age)))
    };
    assert_eq!(
        classify(&snapshot, as_of()),
        (Stage::BankUnverified, reason)
    );
}

#[rstest]
#[case::one_verified_account(ready_to_pay())]
#[case::one_of_several_is_verified(Snapshot {
    banks: Some(vec![bank(Blocked), bank(Verified), bank(Pending)]),
    ..ready_to_pay()
})]
#[case::verification_does_not_matter_any_more(with_verification(Verification::Hold))]
fn rule_6_awaiting_first_payment(#[case] snapshot: Snapshot) {
    assert_eq!(
        classify(&snapshot, as_of()),
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
fn rule_7_dormant_and_its_boundaries(#[case] age: SignedDuration, #[case] stage: Stage) {
    let reason = if stage == Stage::Active {
        StageReason::PaidRecently
    } else {
        StageReason::LastPayment
    };
    assert_eq!(classify(&paid(age), as_of()), (stage, reason));
}

#[test]
fn dormancy_counts_24_hour_days_across_daylight_saving_changes() {
    let payment: Timestamp = "2026-03-01T12:00:00-05:00".parse().unwrap();
    let as_of: Timestamp = "2026-03-31T13:00:00-04:00".parse().unwrap();
    let snapshot = Snapshot {
        payments: Some(history([payment])),
        ..ready_to_pay()
    };

    assert_eq!(classify(&snapshot, as_of).0, Stage::Dormant30);
    assert_eq!(classify(&snapshot, as_of - SECOND).0, Stage::Active);
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
fn stage_name_is_the_same_in_display_parse_and_serde(#[case] stage: Stage, #[case] name: &str) {
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
        ..ready_to_pay()
    }
}

fn enrolling_with(verification: Verification) -> Snapshot {
    Snapshot {
        banks: Some(vec![]),
        ..with_verification(verification)
    }
}

fn only_archived_user() -> Snapshot {
    Snapshot {
        users: Some(vec![User {
            archived: true,
            ..administrator(1)
        }]),
        ..ready_to_pay()
    }
}
