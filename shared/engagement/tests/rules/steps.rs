//! Steps: when each is due, and which of several is planned.

use engagement::{Organization, Rules, Snapshot, Stage, StepId, StepOutcome, User};
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;

use crate::support::{
    NANOSECOND, SECOND, administrator, as_of, campaign, days, first_sync, later, next_sync, paid,
    planned_steps, ready_to_pay, rules, rules_with_steps, step,
};

#[rstest]
#[case::a_second_short(days(3) - SECOND, false)]
#[case::a_nanosecond_short(days(3) - NANOSECOND, false)]
#[case::to_the_second(days(3), true)]
#[case::a_second_late(days(3) + SECOND, true)]
#[case::very_late(days(300), true)]
fn step_is_due_once_its_delay_has_elapsed(#[case] elapsed: SignedDuration, #[case] due: bool) {
    let rules = rules_with_steps([step("nudge", days(3))]);
    let before = first_sync(&ready_to_pay(), &rules).organization;
    let decision = next_sync(&before, &ready_to_pay(), &rules, later(elapsed));

    assert_eq!(
        planned_steps(&decision),
        if due { vec!["nudge"] } else { vec![] }
    );
    assert_eq!(
        step_record(&decision.organization, "nudge"),
        due.then_some((later(elapsed), StepOutcome::Planned))
    );
}

#[test]
fn step_without_delay_is_planned_by_the_sync_that_enters_the_stage() {
    let decision = first_sync(
        &ready_to_pay(),
        &rules_with_steps([step("welcome", days(0))]),
    );
    assert_eq!(planned_steps(&decision), ["welcome"]);
}

#[test]
fn a_step_is_planned_once() {
    let rules = rules_with_steps([step("nudge", days(0))]);
    let mut organization = first_sync(&ready_to_pay(), &rules).organization;

    for day in 1..400 {
        let decision = next_sync(&organization, &ready_to_pay(), &rules, later(days(day)));
        assert_eq!(planned_steps(&decision), Vec::<&str>::new(), "day {day}");
        organization = decision.organization;
    }
    assert_eq!(
        step_record(&organization, "nudge"),
        Some((as_of(), StepOutcome::Planned))
    );
}

#[test]
fn of_several_due_steps_the_latest_is_planned_and_the_others_are_passed_over() {
    let steps = [
        step("one", days(0)),
        step("two", days(3)),
        step("three", days(7)),
        step("four", days(30)),
    ];
    let campaign = campaign(Stage::AwaitingFirstPayment, steps);
    let before = first_sync(&ready_to_pay(), &Rules::default()).organization;
    let decision = next_sync(
        &before,
        &ready_to_pay(),
        &rules([campaign.clone()]),
        later(days(10)),
    );

    assert_eq!(planned_steps(&decision), ["three"]);

    let organization = decision.organization;

    assert_eq!(
        step_record(&organization, "one"),
        Some((later(days(10)), StepOutcome::PassedOver))
    );
    assert_eq!(
        step_record(&organization, "two"),
        Some((later(days(10)), StepOutcome::PassedOver))
    );
    assert_eq!(
        step_record(&organization, "three"),
        Some((later(days(10)), StepOutcome::Planned))
    );
    assert_eq!(step_record(&organization, "four"), None);

    let next = next_sync(
        &organization,
        &ready_to_pay(),
        &rules([campaign]),
        later(days(30)),
    );

    assert_eq!(planned_steps(&next), ["four"]);
}

#[test]
fn planned_step_keeps_its_record_when_a_later_step_is_planned() {
    let rules = rules_with_steps([step("one", days(0)), step("two", days(3))]);
    let before = first_sync(&ready_to_pay(), &rules).organization;
    let organization = next_sync(&before, &ready_to_pay(), &rules, later(days(3))).organization;

    assert_eq!(
        step_record(&organization, "one"),
        Some((as_of(), StepOutcome::Planned))
    );
    assert_eq!(
        step_record(&organization, "two"),
        Some((later(days(3)), StepOutcome::Planned))
    );
}

#[test]
fn only_the_campaign_of_the_current_stage_plans_steps() {
    let rules = rules([
        campaign(
            Stage::AwaitingFirstPayment,
            [step("first-payment", days(0))],
        ),
        campaign(Stage::Active, [step("thanks", days(0))]),
        campaign(Stage::Dormant30, [step("return", days(0))]),
    ]);

    assert_eq!(
        planned_steps(&first_sync(&paid(days(2)), &rules)),
        ["thanks"]
    );
    assert_eq!(
        planned_steps(&first_sync(&paid(days(30)), &rules)),
        ["return"]
    );
    assert_eq!(
        planned_steps(&first_sync(&paid(days(60)), &rules)),
        Vec::<&str>::new()
    );
    assert_eq!(
        planned_steps(&first_sync(
            &Snapshot {
                archived: true,
                ..ready_to_pay()
            },
            &rules
        )),
        Vec::<&str>::new()
    );
}

#[test]
fn due_step_without_recipients_is_recorded_as_no_recipient() {
    let rules = rules_with_steps([step("one", days(0)), step("two", days(1))]);
    let unreachable = Snapshot {
        users: Some(vec![User {
            email: None,
            ..administrator(1)
        }]),
        ..ready_to_pay()
    };
    let before = first_sync(&unreachable, &Rules::default()).organization;
    let decision = next_sync(&before, &unreachable, &rules, later(days(2)));

    assert!(decision.notices.is_empty());
    assert_eq!(
        step_record(&decision.organization, "one"),
        Some((later(days(2)), StepOutcome::PassedOver))
    );
    assert_eq!(
        step_record(&decision.organization, "two"),
        Some((later(days(2)), StepOutcome::NoRecipient))
    );
    assert!(
        next_sync(
            &decision.organization,
            &ready_to_pay(),
            &rules,
            later(days(3))
        )
        .notices
        .is_empty()
    );
}

#[test]
fn records_of_removed_steps_are_kept() {
    let before = first_sync(
        &ready_to_pay(),
        &rules_with_steps([step("retired", days(0))]),
    )
    .organization;
    let organization =
        next_sync(&before, &ready_to_pay(), &Rules::default(), later(days(1))).organization;

    assert_eq!(
        step_record(&organization, "retired"),
        Some((as_of(), StepOutcome::Planned))
    );
}

fn step_record(organization: &Organization, step: &str) -> Option<(Timestamp, StepOutcome)> {
    organization
        .steps
        .get(&StepId::new(step))
        .map(|record| (record.at, record.outcome))
}
