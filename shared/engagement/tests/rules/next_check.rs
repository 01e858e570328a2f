//! When to look again: the earliest of the next step, the next dormancy threshold, and the stage's
//! cadence.

use engagement::{BankStatus, Cadences, Rules, Snapshot, Stage, Verification};
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;

use crate::support::{
    NANOSECOND, SECOND, again, ago, as_of, bank, campaign, days, first, history, hours, later,
    paid, ready, repeating, rules, step,
};

#[rstest]
#[case::enrolling(Snapshot { banks: vec![], ..ready() }, Stage::Enrolling, days(1))]
#[case::no_bank_account(
    Snapshot { banks: vec![], verification: Some(Verification::Approve), ..ready() },
    Stage::NoBankAccount,
    days(1)
)]
#[case::bank_unverified(Snapshot { banks: vec![bank(BankStatus::Pending)], ..ready() }, Stage::BankUnverified, days(1))]
#[case::awaiting_first_payment(ready(), Stage::AwaitingFirstPayment, days(1))]
#[case::active(paid(days(1)), Stage::Active, days(7))]
#[case::dormant_30(paid(days(40)), Stage::Dormant30, days(3))]
#[case::dormant_60(paid(days(70)), Stage::Dormant60, days(3))]
#[case::dormant_90(paid(days(100)), Stage::Dormant90, days(3))]
#[case::closed(Snapshot { archived: true, ..ready() }, Stage::Closed, days(30))]
fn a_stage_is_looked_at_again_after_its_cadence(
    #[case] signals: Snapshot,
    #[case] stage: Stage,
    #[case] cadence: SignedDuration,
) {
    let organization = first(&signals, &Rules::default()).organization;
    assert_eq!(organization.stage, stage);
    assert_eq!(organization.next_check_at, later(cadence));
    assert_eq!(Cadences::default().of(stage), cadence);
}

#[test]
fn cadences_are_parameters() {
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
    let next = |signals| first(&signals, &rules).organization.next_check_at;
    assert_eq!(next(ready()), later(hours(2)));
    assert_eq!(next(paid(days(1))), later(hours(3)));
    assert_eq!(next(paid(days(31))), later(hours(4)));
    assert_eq!(
        next(Snapshot {
            archived: true,
            ..ready()
        }),
        later(hours(5))
    );
}

#[rstest]
#[case::zero(SignedDuration::ZERO)]
#[case::negative(-days(400))]
#[case::the_least(SignedDuration::MIN)]
fn a_cadence_that_leads_nowhere_becomes_a_second(#[case] cadence: SignedDuration) {
    let cadences = Cadences {
        onboarding: cadence,
        active: cadence,
        dormant: cadence,
        closed: cadence,
    };
    assert_eq!(
        first(
            &ready(),
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
fn the_next_dormancy_threshold_is_looked_at_to_the_second(
    #[case] age: SignedDuration,
    #[case] expected: SignedDuration,
) {
    assert_eq!(
        first(&paid(age), &Rules::default())
            .organization
            .next_check_at,
        later(expected)
    );
}

#[test]
fn the_future_does_not_hurry_a_check() {
    assert_eq!(
        first(&paid(-days(10)), &Rules::default())
            .organization
            .next_check_at,
        later(days(7))
    );
    let at_the_end = Snapshot {
        payments: history([Timestamp::MAX]),
        ..ready()
    };
    assert_eq!(
        first(&at_the_end, &Rules::default())
            .organization
            .next_check_at,
        later(days(7))
    );
}

#[test]
fn a_closed_organization_is_not_looked_at_for_its_payments() {
    let signals = Snapshot {
        archived: true,
        ..paid(days(29))
    };
    assert_eq!(
        first(&signals, &Rules::default())
            .organization
            .next_check_at,
        later(days(30))
    );
}

#[rstest]
#[case::a_nanosecond_after_the_second(NANOSECOND)]
#[case::within_the_second(SignedDuration::from_millis(500))]
#[case::at_the_end_of_the_second(SECOND - NANOSECOND)]
fn a_payment_within_a_second_is_looked_at_when_the_threshold_has_been_reached(
    #[case] fraction: SignedDuration,
) {
    let signals = paid(days(30) - hours(1) - fraction);
    let before = first(&signals, &Rules::default()).organization;
    assert_eq!(before.next_check_at, later(hours(1)) + SECOND);
    assert_eq!(
        again(
            &before,
            &signals,
            &Rules::default(),
            before.next_check_at - SECOND
        )
        .organization
        .stage,
        Stage::Active
    );
    assert_eq!(
        again(&before, &signals, &Rules::default(), before.next_check_at)
            .organization
            .stage,
        Stage::Dormant30
    );
}

#[test]
fn a_threshold_already_reached_within_this_second_is_not_looked_at_again() {
    let signals = paid(days(30) - SignedDuration::from_millis(500));
    let before = first(&signals, &Rules::default()).organization;
    assert_eq!(before.stage, Stage::Active);
    let decision = again(
        &before,
        &signals,
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
fn the_next_step_is_looked_at_when_it_becomes_due() {
    let rules = rules([campaign(
        Stage::AwaitingFirstPayment,
        [
            step("one", days(0)),
            step("two", hours(5)),
            step("three", days(9)),
        ],
    )]);
    let decision = first(&ready(), &rules);
    assert_eq!(decision.organization.next_check_at, later(hours(5)));
    let decision = again(&decision.organization, &ready(), &rules, later(hours(5)));
    assert_eq!(
        decision.organization.next_check_at,
        later(hours(5) + days(1))
    );
}

#[test]
fn of_step_threshold_and_cadence_the_earliest_wins() {
    let next = |age, after| {
        let rules = rules([campaign(Stage::Active, [step("tip", after)])]);
        first(&paid(age), &rules).organization.next_check_at
    };
    assert_eq!(next(days(28), days(1)), later(days(1)));
    assert_eq!(next(days(28), days(3)), later(days(2)));
    assert_eq!(next(days(1), days(8)), later(days(7)));
}

#[test]
fn a_repeat_is_looked_at_when_it_is_allowed() {
    let rules = rules([campaign(
        Stage::Active,
        [repeating("tip", days(0), days(2))],
    )]);
    let decision = first(&paid(days(1)), &rules);
    assert_eq!(decision.organization.next_check_at, later(days(2)));
}

#[test]
fn steps_of_other_stages_do_not_hurry_a_check() {
    let rules = rules([campaign(Stage::Dormant30, [step("return", hours(1))])]);
    assert_eq!(
        first(&paid(days(1)), &rules).organization.next_check_at,
        later(days(7))
    );
}

#[test]
fn a_step_beyond_the_end_of_time_never_hurries_a_check() {
    let rules = rules([campaign(
        Stage::AwaitingFirstPayment,
        [step("never", SignedDuration::MAX)],
    )]);
    assert_eq!(
        first(&ready(), &rules).organization.next_check_at,
        later(days(1))
    );
}

#[test]
fn near_the_end_of_time_the_next_check_is_its_end() {
    let as_of = Timestamp::MAX - SECOND;
    let decision = engagement::decide(
        &crate::support::organization_id(),
        None,
        &ready(),
        &Rules::default(),
        as_of,
    );
    assert_eq!(decision.organization.next_check_at, Timestamp::MAX);
}

#[test]
fn a_customer_that_paid_yesterday_is_called_for_five_times_until_it_is_dormant() {
    let signals = Snapshot {
        payments: history([ago(days(1))]),
        ..ready()
    };
    let mut organization = first(&signals, &Rules::default()).organization;
    let mut checks = vec![];
    while organization.stage == Stage::Active {
        organization = again(
            &organization,
            &signals,
            &Rules::default(),
            organization.next_check_at,
        )
        .organization;
        checks.push(organization.checked_at.duration_since(as_of()));
    }
    assert_eq!(checks, [days(7), days(14), days(21), days(28), days(29)]);
    assert_eq!(organization.stage, Stage::Dormant30);
}
