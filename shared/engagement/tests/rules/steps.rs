//! Steps: when each is due, which of several is planned, and how often.

use engagement::{
    Notice, NoticeKey, Organization, Rules, Snapshot, Stage, StepId, StepOutcome, StepRecord,
};
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;

use crate::{
    notices::address_key,
    support::{
        NANOSECOND, SECOND, again, ago, as_of, campaign, days, first, hours, later, paid, planned,
        ready, repeating, rules, step,
    },
};

#[rstest]
#[case::a_second_short(days(3) - SECOND, false)]
#[case::a_nanosecond_short(days(3) - NANOSECOND, false)]
#[case::to_the_second(days(3), true)]
#[case::a_second_late(days(3) + SECOND, true)]
#[case::very_late(days(300), true)]
fn a_step_is_due_from_its_time_on(#[case] elapsed: SignedDuration, #[case] due: bool) {
    let rules = rules([campaign(
        Stage::AwaitingFirstPayment,
        [step("nudge", days(3))],
    )]);
    let before = first(&ready(), &rules).organization;
    let decision = again(&before, &ready(), &rules, later(elapsed));
    assert_eq!(planned(&decision), if due { vec!["nudge"] } else { vec![] });
    assert_eq!(
        mark(&decision.organization, "nudge"),
        due.then_some((later(elapsed), StepOutcome::Planned))
    );
}

#[test]
fn a_step_without_delay_is_planned_by_the_check_that_enters_the_stage() {
    let decision = first(
        &ready(),
        &rules([campaign(
            Stage::AwaitingFirstPayment,
            [step("welcome", days(0))],
        )]),
    );
    assert_eq!(planned(&decision), ["welcome"]);
}

#[test]
fn a_step_is_planned_once() {
    let rules = rules([campaign(
        Stage::AwaitingFirstPayment,
        [step("nudge", days(0))],
    )]);
    let mut organization = first(&ready(), &rules).organization;
    for day in 1..400 {
        let decision = again(&organization, &ready(), &rules, later(days(day)));
        assert_eq!(planned(&decision), Vec::<&str>::new(), "day {day}");
        organization = decision.organization;
    }
    assert_eq!(
        mark(&organization, "nudge"),
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
    let before = first(&ready(), &Rules::default()).organization;
    let decision = again(
        &before,
        &ready(),
        &rules([campaign.clone()]),
        later(days(10)),
    );
    assert_eq!(planned(&decision), ["three"]);
    let organization = decision.organization;
    assert_eq!(
        mark(&organization, "one"),
        Some((later(days(10)), StepOutcome::PassedOver))
    );
    assert_eq!(
        mark(&organization, "two"),
        Some((later(days(10)), StepOutcome::PassedOver))
    );
    assert_eq!(
        mark(&organization, "three"),
        Some((later(days(10)), StepOutcome::Planned))
    );
    assert_eq!(mark(&organization, "four"), None);

    let next = again(&organization, &ready(), &rules([campaign]), later(days(30)));
    assert_eq!(planned(&next), ["four"]);
}

#[test]
fn a_step_that_was_planned_before_is_not_marked_anew_by_a_later_one() {
    let rules = rules([campaign(
        Stage::AwaitingFirstPayment,
        [step("one", days(0)), step("two", days(3))],
    )]);
    let before = first(&ready(), &rules).organization;
    let organization = again(&before, &ready(), &rules, later(days(3))).organization;
    assert_eq!(
        mark(&organization, "one"),
        Some((as_of(), StepOutcome::Planned))
    );
    assert_eq!(
        mark(&organization, "two"),
        Some((later(days(3)), StepOutcome::Planned))
    );
}

#[test]
fn only_the_campaign_of_the_present_stage_has_a_say() {
    let rules = rules([
        campaign(
            Stage::AwaitingFirstPayment,
            [step("first-payment", days(0))],
        ),
        campaign(Stage::Active, [step("thanks", days(0))]),
        campaign(Stage::Dormant30, [step("return", days(0))]),
    ]);
    assert_eq!(planned(&first(&paid(days(2)), &rules)), ["thanks"]);
    assert_eq!(planned(&first(&paid(days(30)), &rules)), ["return"]);
    assert_eq!(planned(&first(&paid(days(60)), &rules)), Vec::<&str>::new());
    assert_eq!(
        planned(&first(
            &Snapshot {
                archived: true,
                ..ready()
            },
            &rules
        )),
        Vec::<&str>::new()
    );
}

#[test]
fn without_recipients_the_step_is_passed_over_for_want_of_one() {
    let rules = rules([campaign(
        Stage::AwaitingFirstPayment,
        [step("one", days(0)), step("two", days(1))],
    )]);
    let unreachable = Snapshot {
        users: vec![engagement::User {
            email: None,
            ..crate::support::administrator(1)
        }],
        ..ready()
    };
    let before = first(&unreachable, &Rules::default()).organization;
    let decision = again(&before, &unreachable, &rules, later(days(2)));
    assert!(decision.notices.is_empty());
    assert_eq!(
        mark(&decision.organization, "one"),
        Some((later(days(2)), StepOutcome::PassedOver))
    );
    assert_eq!(
        mark(&decision.organization, "two"),
        Some((later(days(2)), StepOutcome::NoRecipient))
    );
    assert!(
        again(&decision.organization, &ready(), &rules, later(days(3)))
            .notices
            .is_empty()
    );
}

#[rstest]
#[case::a_second_short(days(14) - SECOND, false)]
#[case::to_the_second(days(14), true)]
#[case::a_second_late(days(14) + SECOND, true)]
fn a_repeating_step_is_due_again_after_its_time(
    #[case] elapsed: SignedDuration,
    #[case] due: bool,
) {
    let rules = rules([campaign(
        Stage::AwaitingFirstPayment,
        [repeating("nudge", days(0), days(14))],
    )]);
    let before = first(&ready(), &rules).organization;
    let decision = again(&before, &ready(), &rules, later(elapsed));
    assert_eq!(decision.notices.len(), usize::from(due));
}

#[test]
fn repeats_within_one_episode_have_their_own_notice_keys() {
    let rules = rules([campaign(
        Stage::AwaitingFirstPayment,
        [repeating("nudge", days(1), days(14))],
    )]);
    let mut organization = first(&ready(), &rules).organization;
    let mut occurrences = vec![];
    let mut keys = vec![];
    for hour in 1..=24 * 31 {
        let decision = again(&organization, &ready(), &rules, later(hours(hour)));
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
fn a_repeat_counts_from_the_moment_at_which_it_was_allowed_however_late_it_is_planned() {
    let rules = rules([campaign(
        Stage::AwaitingFirstPayment,
        [repeating("nudge", days(0), days(14))],
    )]);
    let before = first(&ready(), &rules).organization;
    let late = again(&before, &ready(), &rules, later(days(20)));
    assert_eq!(late.notices[0].since, later(days(14)));
    let later_still = again(&before, &ready(), &rules, later(days(21)));
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
fn a_new_episode_plans_again_only_what_may_be_repeated(
    #[case] repeat_after: Option<SignedDuration>,
    #[case] second_episode: SignedDuration,
    #[case] since: Option<SignedDuration>,
) {
    let nudge = engagement::Step {
        repeat_after,
        ..step("nudge", days(0))
    };
    let rules = rules([campaign(Stage::AwaitingFirstPayment, [nudge])]);
    let begun = first(&ready(), &rules);
    assert_eq!(planned(&begun), ["nudge"]);
    let away = again(&begun.organization, &paid(days(0)), &rules, later(days(1))).organization;
    assert_eq!(away.stage, Stage::Active);
    let back = again(&away, &ready(), &rules, later(second_episode));
    assert_eq!(back.organization.stage_since, later(second_episode));
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
fn in_a_new_episode_a_repeat_waits_for_its_delay_too() {
    let rules = rules([campaign(
        Stage::AwaitingFirstPayment,
        [repeating("nudge", days(5), days(30))],
    )]);
    let mut organization = first(&ready(), &rules).organization;
    organization.steps.insert(
        StepId::new("nudge"),
        StepRecord {
            at: ago(days(28)),
            outcome: StepOutcome::Planned,
        },
    );
    let early = again(&organization, &ready(), &rules, later(days(5) - SECOND));
    assert!(early.notices.is_empty());
    assert_eq!(early.organization.next_check_at, later(days(5)));
    let on_time = again(&organization, &ready(), &rules, later(days(5)));
    assert_eq!(on_time.notices[0].since, later(days(2)));
}

#[test]
fn a_repeat_beyond_the_end_of_time_never_comes() {
    let rules = rules([campaign(
        Stage::AwaitingFirstPayment,
        [repeating("nudge", days(0), SignedDuration::MAX)],
    )]);
    let before = first(&ready(), &rules).organization;
    assert!(
        again(&before, &ready(), &rules, Timestamp::MAX)
            .notices
            .is_empty()
    );
}

#[test]
fn marks_of_steps_that_no_campaign_has_any_more_are_kept() {
    let before = first(
        &ready(),
        &rules([campaign(
            Stage::AwaitingFirstPayment,
            [step("retired", days(0))],
        )]),
    )
    .organization;
    let organization = again(&before, &ready(), &Rules::default(), later(days(1))).organization;
    assert_eq!(
        mark(&organization, "retired"),
        Some((as_of(), StepOutcome::Planned))
    );
}

fn mark(organization: &Organization, step: &str) -> Option<(Timestamp, StepOutcome)> {
    organization
        .steps
        .get(&StepId::new(step))
        .map(|mark| (mark.at, mark.outcome))
}

fn key(planned: engagement::PlannedNotice) -> NoticeKey {
    Notice::due(planned, &address_key()).notice
}
