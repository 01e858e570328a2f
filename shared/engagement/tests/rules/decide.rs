//! What one sync decides: stage and episode, the transition, and the version of the record.

use engagement::{
    BankStatus, Organization, Rules, Snapshot, Stage, StageReason, Transition, Verification,
};
use jiff::Timestamp;
use rstest::rstest;

use crate::support::{
    archived_bank, as_of, campaign, days, first_sync, history_at, hours, later, next_sync,
    organization_id, paid, payment, ready_to_pay, rules, step,
};

#[test]
fn first_sync_starts_the_stage_with_a_transition_from_none() {
    let decision = first_sync(&ready_to_pay(), &Rules::default());

    assert_eq!(decision.organization.stage_since, as_of());
    assert_eq!(decision.organization.checked_at, as_of());

    let transition = Transition {
        organization_id: organization_id(),
        at: as_of(),
        from: None,
        to: Stage::AwaitingFirstPayment,
        reason: StageReason::NeverPaid,
    };

    assert_eq!(decision.transition, Some(transition));
}

#[test]
fn unchanged_stage_keeps_stage_since_and_records_no_transition() {
    let before = first_sync(&ready_to_pay(), &Rules::default()).organization;
    let decision = next_sync(&before, &ready_to_pay(), &Rules::default(), later(days(1)));

    assert_eq!(decision.transition, None);
    assert_eq!(decision.organization.stage_since, as_of());
    assert_eq!(decision.organization.checked_at, later(days(1)));
}

#[test]
fn changed_stage_resets_stage_since_and_records_the_previous_stage() {
    let before = first_sync(&ready_to_pay(), &Rules::default()).organization;
    let decision = next_sync(&before, &paid(days(0)), &Rules::default(), later(hours(5)));

    assert_eq!(decision.organization.stage_since, later(hours(5)));

    let transition = decision.transition.unwrap();

    assert_eq!(
        (transition.from, transition.to),
        (Some(Stage::AwaitingFirstPayment), Stage::Active)
    );
    assert_eq!(
        (transition.at, transition.reason),
        (later(hours(5)), StageReason::PaidRecently)
    );
}

#[test]
fn a_new_reason_within_the_same_stage_is_recorded_without_a_transition() {
    let with = |verification| Snapshot {
        banks: Some(vec![]),
        verification: Some(verification),
        ..ready_to_pay()
    };
    let before = first_sync(&with(Verification::InProgress), &Rules::default()).organization;
    let decision = next_sync(
        &before,
        &with(Verification::Hold),
        &Rules::default(),
        later(days(1)),
    );

    assert_eq!(
        decision.organization.stage_reason,
        StageReason::VerificationOnHold
    );
    assert_eq!(decision.organization.stage_since, as_of());
    assert_eq!(decision.transition, None);
}

#[test]
fn a_stage_that_is_entered_again_begins_a_new_episode() {
    let paying = first_sync(&paid(days(29)), &Rules::default()).organization;
    let dormant =
        next_sync(&paying, &paid(days(29)), &Rules::default(), later(days(2))).organization;

    assert_eq!(dormant.stage, Stage::Dormant30);

    let paying_again = next_sync(&dormant, &paid(-days(3)), &Rules::default(), later(days(3)));

    assert_eq!(paying_again.organization.stage_since, later(days(3)));
    assert_eq!(
        paying_again.transition.unwrap().from,
        Some(Stage::Dormant30)
    );
}

#[test]
fn transitions_follow_a_customer_through_every_stage() {
    let enrolling = Snapshot {
        banks: Some(vec![]),
        ..ready_to_pay()
    };
    let paid_at = |moment| Snapshot {
        payments: Some(history_at(&[payment(moment)], moment)),
        ..ready_to_pay()
    };
    let syncs: Vec<(i64, Snapshot)> = vec![
        (0, enrolling.clone()),
        (
            3,
            Snapshot {
                verification: Some(Verification::Approve),
                ..enrolling
            },
        ),
        (
            5,
            Snapshot {
                banks: Some(vec![archived_bank(BankStatus::Pending, -days(4))]),
                ..ready_to_pay()
            },
        ),
        (8, ready_to_pay()),
        (20, paid_at(later(days(19)))),
        (49, paid_at(later(days(19)))),
        (79, paid_at(later(days(19)))),
        (109, paid_at(later(days(19)))),
        (120, paid_at(later(days(119)))),
        (
            130,
            Snapshot {
                archived: true,
                ..ready_to_pay()
            },
        ),
    ];
    let mut previous: Option<Organization> = None;
    let mut stages = vec![];

    for (day, snapshot) in syncs {
        let decision = engagement::decide(
            &organization_id(),
            previous.as_ref(),
            &snapshot,
            &Rules::default(),
            later(days(day)),
        );
        let transition = decision.transition.unwrap();
        assert_eq!(transition.from, stages.last().copied());
        stages.push(transition.to);
        previous = Some(decision.organization);
    }

    let expected = [
        Stage::Enrolling,
        Stage::NoBankAccount,
        Stage::BankUnverified,
        Stage::AwaitingFirstPayment,
        Stage::Active,
        Stage::Dormant30,
        Stage::Dormant60,
        Stage::Dormant90,
        Stage::Active,
        Stage::Closed,
    ];

    assert_eq!(stages, expected);
}

#[test]
fn every_sync_increments_the_version() {
    let mut organization = first_sync(&ready_to_pay(), &Rules::default()).organization;

    assert_eq!(organization.version, 1);
    for day in 1..5 {
        let stored = organization.version;
        organization = next_sync(
            &organization,
            &ready_to_pay(),
            &Rules::default(),
            later(days(day)),
        )
        .organization;
        assert_eq!(organization.version, stored + 1);
    }

    organization.version = u64::MAX;

    assert_eq!(
        next_sync(
            &organization,
            &ready_to_pay(),
            &Rules::default(),
            later(days(9))
        )
        .organization
        .version,
        u64::MAX
    );
}

#[rstest]
#[case::the_beginning(Timestamp::MIN)]
#[case::the_end(Timestamp::MAX)]
fn decide_accepts_minimum_and_maximum_timestamps(#[case] as_of: Timestamp) {
    let rules = rules([
        campaign(Stage::Active, [step("thanks", days(1))]),
        campaign(Stage::Dormant90, [step("return", days(0))]),
    ]);
    let decision = engagement::decide(&organization_id(), None, &paid(days(1)), &rules, as_of);
    let repeated = next_sync(&decision.organization, &paid(days(1)), &rules, as_of);

    assert!(repeated.notices.is_empty() && repeated.transition.is_none());
}
