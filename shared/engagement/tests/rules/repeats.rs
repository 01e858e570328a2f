//! Steps that repeat: when each occurrence is due, and which notice key it has.

use engagement::{Notice, NoticeKey, PlannedNotice, Stage, Step, StepId, StepOutcome, StepRecord};
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;

use crate::support::{
    SECOND, address_key, ago, as_of, days, first_sync, hours, later, next_sync, paid,
    planned_steps, ready_to_pay, repeating_step, rules_with_steps, step,
};

#[rstest]
#[case::a_second_short(days(14) - SECOND, false)]
#[case::to_the_second(days(14), true)]
#[case::a_second_late(days(14) + SECOND, true)]
fn repeating_step_is_due_again_after_repeat_after(
    #[case] elapsed: SignedDuration,
    #[case] due: bool,
) {
    let rules = rules_with_steps([repeating_step("nudge", days(0), days(14))]);
    let before = first_sync(&ready_to_pay(), &rules).organization;
    let decision = next_sync(&before, &ready_to_pay(), &rules, later(elapsed));

    assert_eq!(decision.notices.len(), usize::from(due));
}

#[test]
fn repeats_within_one_episode_have_their_own_notice_keys() {
    let rules = rules_with_steps([repeating_step("nudge", days(1), days(14))]);
    let mut organization = first_sync(&ready_to_pay(), &rules).organization;
    let mut occurrences = vec![];
    let mut keys = vec![];
    for hour in 1..=24 * 31 {
        let decision = next_sync(&organization, &ready_to_pay(), &rules, later(hours(hour)));
        occurrences.extend(
            decision
                .notices
                .iter()
                .map(|notice| (notice.planned_at, notice.since)),
        );
        keys.extend(decision.notices.into_iter().map(key));
        organization = decision.organization;
    }
    let expected = [
        (later(days(1)), as_of()),
        (later(days(15)), later(days(15))),
        (later(days(29)), later(days(29))),
    ];

    assert_eq!(occurrences, expected);

    keys.dedup();

    assert_eq!(keys.len(), 3);
}

#[test]
fn repeat_occurrence_starts_when_allowed_even_if_planned_late() {
    let rules = rules_with_steps([repeating_step("nudge", days(0), days(14))]);
    let before = first_sync(&ready_to_pay(), &rules).organization;
    let late = next_sync(&before, &ready_to_pay(), &rules, later(days(20)));

    assert_eq!(late.notices[0].since, later(days(14)));

    let later_still = next_sync(&before, &ready_to_pay(), &rules, later(days(21)));

    assert_eq!(
        key(late.notices[0].clone()),
        key(later_still.notices[0].clone()),
        "two attempts at one occurrence are one notice"
    );
}

#[rstest]
#[case::once_for_each_organization(None, days(200), None)]
#[case::too_soon_for_a_repeat(Some(days(60)), days(40), None)]
#[case::long_enough_ago(Some(days(60)), days(70), Some(days(70)))]
#[case::allowed_as_the_episode_begins(Some(days(60)), days(60), Some(days(60)))]
fn new_episode_plans_only_repeatable_steps_again(
    #[case] repeat_after: Option<SignedDuration>,
    #[case] second_episode: SignedDuration,
    #[case] since: Option<SignedDuration>,
) {
    let nudge = Step {
        repeat_after,
        ..step("nudge", days(0))
    };
    let rules = rules_with_steps([nudge]);
    let begun = first_sync(&ready_to_pay(), &rules);

    assert_eq!(planned_steps(&begun), ["nudge"]);

    let away = next_sync(&begun.organization, &paid(days(0)), &rules, later(days(1))).organization;

    assert_eq!(away.stage, Stage::Active);

    // That the payment is gone is believed the second time.
    let begin = later(second_episode);
    let seen = next_sync(&away, &ready_to_pay(), &rules, begin - hours(4)).organization;
    let back = next_sync(&seen, &ready_to_pay(), &rules, begin);

    assert_eq!(back.organization.stage_since, begin);
    assert_eq!(
        back.notices.first().map(|notice| notice.since),
        since.map(later)
    );

    let first_key = key(begun.notices[0].clone());

    assert!(
        back.notices
            .into_iter()
            .all(|notice| key(notice) != first_key)
    );
}

#[test]
fn repeat_in_a_new_episode_also_waits_for_the_step_delay() {
    let rules = rules_with_steps([repeating_step("nudge", days(5), days(30))]);
    let mut organization = first_sync(&ready_to_pay(), &rules).organization;
    organization.steps.insert(
        StepId::new("nudge"),
        StepRecord {
            at: ago(days(28)),
            outcome: StepOutcome::Planned,
        },
    );
    let early = next_sync(
        &organization,
        &ready_to_pay(),
        &rules,
        later(days(5) - SECOND),
    );

    assert!(early.notices.is_empty());
    assert_eq!(early.organization.next_check_at, later(days(5)));

    let on_time = next_sync(&organization, &ready_to_pay(), &rules, later(days(5)));

    assert_eq!(on_time.notices[0].since, later(days(2)));
}

#[test]
fn repeat_beyond_timestamp_max_is_never_due() {
    let rules = rules_with_steps([repeating_step("nudge", days(0), SignedDuration::MAX)]);
    let before = first_sync(&ready_to_pay(), &rules).organization;

    assert!(
        next_sync(&before, &ready_to_pay(), &rules, Timestamp::MAX)
            .notices
            .is_empty()
    );
}

fn key(planned: PlannedNotice) -> NoticeKey {
    Notice::from_planned(planned, &address_key()).notice
}
