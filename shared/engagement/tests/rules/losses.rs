//! Snapshots that show less than the record.

use engagement::{BankStatus, PaymentHistory, Rules, Snapshot, Stage};
use rstest::rstest;

use crate::support::{
    ago, archived_bank, bank, campaign, days, empty, first_sync, hours, later, next_sync, paid,
    rules, step,
};

/// A customer that paid 40 days ago, and its campaigns: each has a step at once.
fn customer() -> Snapshot {
    paid(days(40))
}

fn at_once() -> Rules {
    let stages = [
        Stage::Enrolling,
        Stage::NoBankAccount,
        Stage::BankUnverified,
        Stage::AwaitingFirstPayment,
    ];
    rules(stages.map(|stage| campaign(stage, [step(&format!("{stage}-1"), hours(0))])))
}

#[rstest]
#[case::banks(Snapshot { banks: Some(vec![]), ..customer() }, Stage::NoBankAccount)]
#[case::verified(
    Snapshot { banks: Some(vec![bank(BankStatus::Blocked)]), ..customer() },
    Stage::BankUnverified
)]
#[case::users(
    Snapshot { users: Some(vec![]), banks: Some(vec![]), payments: Some(PaymentHistory::default()), ..customer() },
    Stage::Enrolling
)]
#[case::payments(
    Snapshot { payments: Some(PaymentHistory::default()), ..customer() },
    Stage::AwaitingFirstPayment
)]
#[case::everything(empty(), Stage::Enrolling)]
fn a_loss_is_believed_the_second_time(#[case] less: Snapshot, #[case] stage: Stage) {
    let rules = at_once();
    let before = first_sync(&customer(), &rules).organization;
    assert_eq!(before.stage, Stage::Dormant30);

    let first = next_sync(&before, &less, &rules, later(hours(72)));
    assert_eq!((&first.transition, first.notices.len()), (&None, 0));
    let seen = &first.organization;
    assert_eq!(seen.loss_seen_at, Some(later(hours(72))));
    assert_eq!(seen.next_check_at, later(hours(76)));
    assert_eq!(
        (
            seen.stage,
            seen.stage_since,
            seen.bank_accounts,
            seen.users,
            &seen.contacts
        ),
        (
            before.stage,
            before.stage_since,
            before.bank_accounts,
            before.users,
            &before.contacts
        )
    );

    // Whatever made it due, it is too early.
    let early = next_sync(seen, &less, &rules, later(hours(75)));
    assert_eq!((&early.transition, early.notices.len()), (&None, 0));
    let early = early.organization;
    assert_eq!(early.loss_seen_at, Some(later(hours(72))));
    assert_eq!(early.next_check_at, later(hours(76)));

    let second = next_sync(&early, &less, &rules, later(hours(76)));
    assert_eq!(second.organization.stage, stage);
    assert_eq!(second.organization.loss_seen_at, None);
    assert!(second.transition.is_some());
}

#[test]
fn a_loss_that_is_no_longer_seen_is_forgotten() {
    let rules = at_once();
    let before = first_sync(&customer(), &rules).organization;
    let seen = next_sync(&before, &empty(), &rules, later(hours(72)));

    let after = next_sync(&seen.organization, &customer(), &rules, later(hours(73)));
    assert_eq!((&after.transition, after.notices.len()), (&None, 0));
    assert_eq!(after.organization.loss_seen_at, None);
    assert_eq!(after.organization.stage_since, before.stage_since);

    let again = next_sync(&after.organization, &empty(), &rules, later(hours(200)));
    assert_eq!(again.organization.loss_seen_at, Some(later(hours(200))));
    assert_eq!(again.organization.stage, before.stage);
}

#[rstest]
#[case::archived(Snapshot { archived: true, ..Snapshot::default() }, Stage::Closed)]
#[case::accounts_archived(
    Snapshot { banks: Some(vec![archived_bank(BankStatus::Verified, days(1))]), ..customer() },
    Stage::NoBankAccount
)]
#[case::nothing_less(customer(), Stage::Dormant30)]
fn what_is_no_loss_is_believed_at_once(#[case] snapshot: Snapshot, #[case] stage: Stage) {
    let rules = at_once();
    let before = first_sync(&customer(), &rules).organization;

    let decision = next_sync(&before, &snapshot, &rules, later(hours(72)));

    assert_eq!(decision.organization.stage, stage);
    assert_eq!(decision.organization.loss_seen_at, None);
}

#[test]
fn a_newest_payment_that_is_missing_is_a_loss() {
    let rules = at_once();
    let before = first_sync(&paid(days(1)), &rules).organization;

    let decision = next_sync(&before, &paid(days(2)), &rules, later(hours(24)));

    assert_eq!(decision.organization.loss_seen_at, Some(later(hours(24))));
    assert_eq!(decision.organization.last_payment_at, Some(ago(days(1))));
}
