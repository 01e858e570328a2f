//! Guards: each by itself, its boundary, and the order in which they are asked.

use engagement::{Circumstances, Expiry, Notice, Reason, Rules, Signals, Stage, Standing, Verdict, guard};
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;

use crate::{
    notices::address_key,
    support::{NANOSECOND, SECOND, as_of, campaign, days, first, hours, later, ready, rules, step},
};

#[test]
fn a_notice_goes_out_while_nothing_speaks_against_it() {
    assert_eq!(guard(&notice(), &circumstances()), Verdict::Send);
}

#[rstest]
#[case::at_once(hours(0), Verdict::Send)]
#[case::before_its_time(-hours(5), Verdict::Send)]
#[case::seventy_two_hours(hours(72), Verdict::Send)]
#[case::a_nanosecond_more(hours(72) + NANOSECOND, Verdict::Skip(Reason::Expired))]
#[case::a_second_more(hours(72) + SECOND, Verdict::Skip(Reason::Expired))]
#[case::long_ago(days(400), Verdict::Skip(Reason::Expired))]
fn a_notice_expires_seventy_two_hours_past_its_time(#[case] elapsed: SignedDuration, #[case] verdict: Verdict) {
    assert_eq!(guard(&notice(), &Circumstances { as_of: later(elapsed), ..circumstances() }), verdict);
}

#[rstest]
#[case::fourteen_days(days(14), Verdict::Send)]
#[case::a_second_more(days(14) + SECOND, Verdict::Skip(Reason::Expired))]
fn a_notice_that_was_put_off_expires_fourteen_days_after_it_was_planned(#[case] elapsed: SignedDuration, #[case] verdict: Verdict) {
    let notice = Notice { due_at: later(elapsed), ..notice() };
    assert_eq!(guard(&notice, &Circumstances { as_of: later(elapsed), ..circumstances() }), verdict);
}

#[test]
fn expiry_is_a_parameter() {
    let expiry = Expiry { after_due: hours(1), after_planned: hours(2) };
    let verdict =
        |due_at, elapsed| guard(&Notice { due_at, ..notice() }, &Circumstances { as_of: later(elapsed), expiry, ..circumstances() });
    assert_eq!(verdict(as_of(), hours(1)), Verdict::Send);
    assert_eq!(verdict(as_of(), hours(1) + SECOND), Verdict::Skip(Reason::Expired));
    assert_eq!(verdict(later(hours(2)), hours(2)), Verdict::Send);
    assert_eq!(verdict(later(hours(2)), hours(2) + SECOND), Verdict::Skip(Reason::Expired));
    assert_eq!(Expiry::default(), Expiry { after_due: hours(72), after_planned: days(14) });
}

#[rstest]
#[case::another_stage(Some(Standing { stage: Stage::Active, since: as_of() }))]
#[case::another_episode(Some(Standing { stage: Stage::AwaitingFirstPayment, since: later(SECOND) }))]
#[case::closed(Some(Standing { stage: Stage::Closed, since: as_of() }))]
#[case::nothing_known_any_more(None)]
fn a_notice_is_skipped_once_the_organization_stands_elsewhere(#[case] standing: Option<Standing>) {
    assert_eq!(guard(&notice(), &Circumstances { standing, ..circumstances() }), Verdict::Skip(Reason::StateChanged));
}

#[test]
fn a_dry_run_holds_the_notice() {
    assert_eq!(guard(&notice(), &Circumstances { dry_run: true, ..circumstances() }), Verdict::Hold(Reason::DryRun));
}

#[rstest]
#[case::expired_first(true, true, true, Verdict::Skip(Reason::Expired))]
#[case::expired_before_dry_run(true, false, true, Verdict::Skip(Reason::Expired))]
#[case::expired_before_state_changed(true, true, false, Verdict::Skip(Reason::Expired))]
#[case::state_changed_before_dry_run(false, true, true, Verdict::Skip(Reason::StateChanged))]
#[case::dry_run_last(false, false, true, Verdict::Hold(Reason::DryRun))]
fn the_first_guard_that_objects_decides(#[case] expired: bool, #[case] moved_on: bool, #[case] dry_run: bool, #[case] verdict: Verdict) {
    let circumstances = Circumstances {
        as_of: if expired { later(days(30)) } else { as_of() },
        standing: circumstances().standing.filter(|_| !moved_on),
        dry_run,
        ..circumstances()
    };
    assert_eq!(guard(&notice(), &circumstances), verdict);
}

#[test]
fn a_record_stands_where_it_says() {
    let organization = first(&ready(), &Rules::default()).organization;
    assert_eq!(Standing::from(&organization), Standing { stage: Stage::AwaitingFirstPayment, since: as_of() });
    let closed = first(&Signals { archived: true, ..ready() }, &Rules::default()).organization;
    assert_eq!(Standing::from(&closed).stage, Stage::Closed);
}

#[test]
fn times_at_the_ends_of_time_are_judged() {
    let ancient = Notice { due_at: Timestamp::MIN, planned_at: Timestamp::MIN, ..notice() };
    assert_eq!(guard(&ancient, &Circumstances { as_of: Timestamp::MAX, ..circumstances() }), Verdict::Skip(Reason::Expired));
    let distant = Notice { due_at: Timestamp::MAX, planned_at: Timestamp::MAX, ..notice() };
    assert_eq!(guard(&distant, &Circumstances { as_of: Timestamp::MIN, ..circumstances() }), Verdict::Send);
}

fn notice() -> Notice {
    let decision = first(&ready(), &rules([campaign(Stage::AwaitingFirstPayment, [step("welcome", days(0))])]));
    Notice::due(decision.notices[0].clone(), &address_key())
}

fn circumstances() -> Circumstances {
    Circumstances {
        as_of: as_of(),
        standing: Some(Standing { stage: Stage::AwaitingFirstPayment, since: as_of() }),
        expiry: Expiry::default(),
        dry_run: false,
    }
}
