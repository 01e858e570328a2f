//! The time of the next sync: the earliest of the next step, the next dormancy threshold, and the
//! cadence of the stage.

use engagement::{BankStatus, Cadences, Rules, Snapshot, Stage, Verification};
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;

use crate::support::{
    NANOSECOND, SECOND, bank, campaign, days, first_sync, history, hours, later, next_sync, paid,
    ready_to_pay, repeating_step, rules, step,
};

#[rstest]
#[case::enrolling(Snapshot { banks: Some(vec![]), ..ready_to_pay() }, Stage::Enrolling, days(1))]
#[case::no_bank_account(
    Snapshot { banks: Some(vec![]), verification: Some(Verification::Approve), ..ready_to_pay() },
    Stage::NoBankAccount,
    days(1)
)]
#[case::bank_unverified(
    Snapshot { banks: Some(vec![bank(BankStatus::Pending)]), ..ready_to_pay() },
    Stage::BankUnverified,
    days(1)
)]
#[case::awaiting_first_payment(ready_to_pay(), Stage::AwaitingFirstPayment, days(1))]
#[case::active(paid(days(1)), Stage::Active, days(7))]
#[case::dormant_30(paid(days(40)), Stage::Dormant30, days(3))]
#[case::dormant_60(paid(days(70)), Stage::Dormant60, days(3))]
#[case::dormant_90(paid(days(100)), Stage::Dormant90, days(3))]
#[case::closed(Snapshot { archived: true, ..ready_to_pay() }, Stage::Closed, days(30))]
fn next_check_follows_the_cadence_of_the_stage(
    #[case] snapshot: Snapshot,
    #[case] stage: Stage,
    #[case] cadence: SignedDuration,
) {
    let organization = first_sync(&snapshot, &Rules::default()).organization;

    assert_eq!(organization.stage, stage);
    assert_eq!(organization.next_check_at, later(cadence));
    assert_eq!(Cadences::default().for_stage(stage), cadence);
}

#[test]
fn cadences_are_configurable() {
    let cadences = Cadences {
        onboarding: hours(2),
        active: hours(3),
        dormant: hours(4),
        closed: hours(5),
    };
    let rules = Rules {
        cadences,
        ..Rules::default()
    };
    let next = |snapshot| first_sync(&snapshot, &rules).organization.next_check_at;

    assert_eq!(next(ready_to_pay()), later(hours(2)));
    assert_eq!(next(paid(days(1))), later(hours(3)));
    assert_eq!(next(paid(days(31))), later(hours(4)));
    assert_eq!(
        next(Snapshot {
            archived: true,
            ..ready_to_pay()
        }),
        later(hours(5))
    );
}

#[rstest]
#[case::zero(SignedDuration::ZERO)]
#[case::negative(-days(400))]
#[case::minimum(SignedDuration::MIN)]
fn zero_or_negative_cadence_becomes_one_second(#[case] cadence: SignedDuration) {
    let cadences = Cadences {
        onboarding: cadence,
        active: cadence,
        dormant: cadence,
        closed: cadence,
    };
    assert_eq!(
        first_sync(
            &ready_to_pay(),
            &Rules {
                cadences,
                ..Rules::default()
            }
        )
        .organization
        .next_check_at,
        later(SECOND)
    );
}

#[rstest]
#[case::active_to_dormant_30(days(25), days(5))]
#[case::a_second_before_the_threshold(days(30) - SECOND, SECOND)]
#[case::at_the_threshold_the_cadence_is_next(days(30), days(3))]
#[case::dormant_30_to_60(days(58), days(2))]
#[case::dormant_60_to_90(days(89), days(1))]
#[case::cadence_before_the_threshold(days(23) - SECOND, days(7))]
#[case::threshold_and_cadence_at_once(days(23), days(7))]
#[case::threshold_a_second_before_the_cadence(days(23) + SECOND, days(7) - SECOND)]
#[case::beyond_all_thresholds(days(95), days(3))]
fn next_check_is_at_the_next_dormancy_threshold_to_the_second(
    #[case] age: SignedDuration,
    #[case] expected: SignedDuration,
) {
    assert_eq!(
        first_next_check(&paid(age), &Rules::default()),
        later(expected)
    );
}

#[test]
fn payment_in_the_future_does_not_change_the_next_check() {
    assert_eq!(
        first_next_check(&paid(-days(10)), &Rules::default()),
        later(days(7))
    );

    let paid_at_max = Snapshot {
        payments: Some(history([Timestamp::MAX])),
        ..ready_to_pay()
    };

    assert_eq!(
        first_next_check(&paid_at_max, &Rules::default()),
        later(days(7))
    );
}

#[test]
fn closed_organization_ignores_dormancy_thresholds() {
    let snapshot = Snapshot {
        archived: true,
        ..paid(days(29))
    };
    assert_eq!(
        first_next_check(&snapshot, &Rules::default()),
        later(days(30))
    );
}

#[rstest]
#[case::a_nanosecond_after_the_second(NANOSECOND)]
#[case::within_the_second(SignedDuration::from_millis(500))]
#[case::at_the_end_of_the_second(SECOND - NANOSECOND)]
fn threshold_with_fractional_second_rounds_up_to_the_next_second(#[case] fraction: SignedDuration) {
    let snapshot = paid(days(30) - hours(1) - fraction);
    let before = first_sync(&snapshot, &Rules::default()).organization;

    assert_eq!(before.next_check_at, later(hours(1)) + SECOND);
    assert_eq!(
        next_sync(
            &before,
            &snapshot,
            &Rules::default(),
            before.next_check_at - SECOND
        )
        .organization
        .stage,
        Stage::Active
    );
    assert_eq!(
        next_sync(&before, &snapshot, &Rules::default(), before.next_check_at)
            .organization
            .stage,
        Stage::Dormant30
    );
}

#[test]
fn threshold_reached_within_the_current_second_schedules_no_check() {
    let snapshot = paid(days(30) - SignedDuration::from_millis(500));
    let before = first_sync(&snapshot, &Rules::default()).organization;

    assert_eq!(before.stage, Stage::Active);

    let decision = next_sync(
        &before,
        &snapshot,
        &Rules::default(),
        later(SignedDuration::from_millis(700)),
    );

    assert_eq!(decision.organization.stage, Stage::Dormant30);
    assert_eq!(
        decision.organization.next_check_at,
        later(SignedDuration::from_millis(700) + days(3))
    );
}

#[test]
fn next_check_is_when_the_next_step_becomes_due() {
    let rules = rules([campaign(
        Stage::AwaitingFirstPayment,
        [
            step("one", days(0)),
            step("two", hours(5)),
            step("three", days(9)),
        ],
    )]);
    let decision = first_sync(&ready_to_pay(), &rules);

    assert_eq!(decision.organization.next_check_at, later(hours(5)));

    let decision = next_sync(
        &decision.organization,
        &ready_to_pay(),
        &rules,
        later(hours(5)),
    );

    assert_eq!(
        decision.organization.next_check_at,
        later(hours(5) + days(1))
    );
}

#[test]
fn next_check_is_the_earliest_of_step_threshold_and_cadence() {
    let next = |age, after| {
        let rules = rules([campaign(Stage::Active, [step("tip", after)])]);
        first_sync(&paid(age), &rules).organization.next_check_at
    };

    assert_eq!(next(days(28), days(1)), later(days(1)));
    assert_eq!(next(days(28), days(3)), later(days(2)));
    assert_eq!(next(days(1), days(8)), later(days(7)));
}

#[test]
fn next_check_is_when_a_repeat_becomes_allowed() {
    let rules = rules([campaign(
        Stage::Active,
        [repeating_step("tip", days(0), days(2))],
    )]);
    let decision = first_sync(&paid(days(1)), &rules);

    assert_eq!(decision.organization.next_check_at, later(days(2)));
}

#[test]
fn steps_of_other_stages_do_not_change_the_next_check() {
    let rules = rules([campaign(Stage::Dormant30, [step("return", hours(1))])]);
    assert_eq!(
        first_sync(&paid(days(1)), &rules)
            .organization
            .next_check_at,
        later(days(7))
    );
}

#[test]
fn step_beyond_timestamp_max_does_not_change_the_next_check() {
    let rules = rules([campaign(
        Stage::AwaitingFirstPayment,
        [step("never", SignedDuration::MAX)],
    )]);
    assert_eq!(
        first_sync(&ready_to_pay(), &rules)
            .organization
            .next_check_at,
        later(days(1))
    );
}

#[test]
fn next_check_saturates_at_timestamp_max() {
    let as_of = Timestamp::MAX - SECOND;
    let decision = engagement::decide(
        &crate::support::organization_id(),
        None,
        &ready_to_pay(),
        &Rules::default(),
        as_of,
    );

    assert_eq!(decision.organization.next_check_at, Timestamp::MAX);
}

/// `next_check_at` of the first sync.
fn first_next_check(snapshot: &Snapshot, rules: &Rules) -> Timestamp {
    first_sync(snapshot, rules).organization.next_check_at
}
