//! Which reads a sync makes, and that a decision needs no more of them.

use engagement::{
    BankStatus, Organization, PaymentHistory, Rules, Snapshot, Stage, SyncCause, Verification,
    decide, wants,
};
use jiff::SignedDuration;
use rstest::rstest;

use crate::{
    reads::{names, read},
    support::{
        bank, campaign, days, empty, first_sync, hours, later, organization_id, paid, ready_to_pay,
        rules, step,
    },
};

fn no_bank() -> Snapshot {
    Snapshot {
        banks: Some(vec![]),
        verification: Some(Verification::Approve),
        ..ready_to_pay()
    }
}

#[rstest]
#[case::known(ready_to_pay(), days(1), &["banks+payments"])]
#[case::dormant(paid(days(40)), days(3), &["banks+payments"])]
#[case::active(paid(days(1)), days(7), &["payments"])]
#[case::verification(no_bank(), days(1), &["banks+payments", "verification"])]
#[case::users_are_old(ready_to_pay(), days(30), &["users+banks+payments"])]
#[case::users_of_active_are_old(paid(-days(10)), days(30), &["users+payments"])]
#[case::dormant_next(paid(days(29)), days(2), &["payments", "banks"])]
fn a_known_organization(
    #[case] bill: Snapshot,
    #[case] after: SignedDuration,
    #[case] expected: &[&str],
) {
    let rules = Rules::default();
    let previous = first_sync(&bill, &rules).organization;

    let reads = read(
        Some(&previous),
        &bill,
        &rules,
        SyncCause::Schedule,
        later(after),
    );

    assert_eq!(names(&reads.rounds), expected);
}

#[rstest]
#[case::with_users(ready_to_pay(), &["users", "banks+payments"])]
#[case::enrolling(
    Snapshot { banks: Some(vec![]), ..ready_to_pay() },
    &["users", "banks+payments", "verification"]
)]
#[case::without_users(Snapshot { users: Some(vec![]), ..ready_to_pay() }, &["users"])]
fn a_new_organization(#[case] bill: Snapshot, #[case] expected: &[&str]) {
    let reads = read(
        None,
        &bill,
        &Rules::default(),
        SyncCause::Schedule,
        later(hours(0)),
    );
    assert_eq!(names(&reads.rounds), expected);
}

#[test]
fn an_archived_organization_takes_no_read() {
    let archived = Snapshot {
        archived: true,
        ..Snapshot::default()
    };
    let wanted = wants(
        None,
        &archived,
        &Rules::default(),
        SyncCause::Events,
        later(days(1)),
    );
    assert!(wanted.is_empty());
}

#[test]
fn events_of_an_active_organization_make_its_bank_accounts_wanted() {
    let previous = first_sync(&paid(days(1)), &Rules::default()).organization;
    let reads = read(
        Some(&previous),
        &paid(days(1)),
        &Rules::default(),
        SyncCause::Events,
        later(days(1)),
    );
    assert_eq!(names(&reads.rounds), ["banks+payments"]);
}

/// A step that becomes due while the customer stays where it was is known before the other reads;
/// one of a new stage only after them.
#[rstest]
#[case::by_time(ready_to_pay(), days(3), &["users+row+banks+payments"])]
#[case::not_yet(ready_to_pay(), days(2), &["banks+payments"])]
#[case::of_a_new_stage(Snapshot { banks: Some(vec![bank(BankStatus::Pending)]), ..ready_to_pay() },
    days(1), &["banks+payments", "users+row"])]
fn a_step_that_becomes_due_makes_users_and_row_wanted(
    #[case] before: Snapshot,
    #[case] after: SignedDuration,
    #[case] expected: &[&str],
) {
    let first_step_after = if expected.len() == 1 {
        days(3)
    } else {
        days(0)
    };
    let rules = rules([campaign(
        Stage::AwaitingFirstPayment,
        [step("pay-1", first_step_after)],
    )]);
    let previous = first_sync(&before, &rules).organization;

    let reads = read(
        Some(&previous),
        &ready_to_pay(),
        &rules,
        SyncCause::Schedule,
        later(after),
    );

    assert_eq!(names(&reads.rounds), expected);
}

/// A contact who was demoted may be shown empty lists, so users are read along.
#[test]
fn a_loss_is_looked_at_with_everything_and_needs_no_verification() {
    let rules = Rules::default();
    let previous = first_sync(&paid(days(1)), &rules).organization;
    let lost = Snapshot {
        users: paid(days(1)).users,
        ..empty()
    };

    let first = read(
        Some(&previous),
        &lost,
        &rules,
        SyncCause::Schedule,
        later(days(1)),
    );
    assert_eq!(names(&first.rounds), ["payments", "banks"]);
    let marked = decide(
        &organization_id(),
        Some(&previous),
        &first.snapshot,
        &rules,
        later(days(1)),
    );
    assert_eq!(marked.organization.loss_seen_at, Some(later(days(1))));

    let second = read(
        Some(&marked.organization),
        &paid(days(1)),
        &rules,
        SyncCause::Schedule,
        later(days(1) + hours(4)),
    );
    assert_eq!(names(&second.rounds), ["users+banks+payments"]);
}

#[test]
fn what_was_not_read_neither_clears_the_mark_of_a_loss_nor_changes_its_facts() {
    let rules = Rules::default();
    let previous = first_sync(&paid(days(1)), &rules).organization;
    let lost = decide(
        &organization_id(),
        Some(&previous),
        &empty(),
        &rules,
        later(hours(1)),
    )
    .organization;

    let unread = Snapshot {
        payments: paid(days(1)).payments,
        ..Snapshot::default()
    };
    let after = decide(
        &organization_id(),
        Some(&lost),
        &unread,
        &rules,
        later(days(1)),
    )
    .organization;

    assert_eq!(after.loss_seen_at, Some(later(hours(1))));
    assert_eq!((after.users, after.bank_accounts), (1, 1));
    assert_eq!(
        (after.users_read_at, after.banks_read_at),
        (previous.users_read_at, previous.banks_read_at)
    );
}

#[test]
fn the_first_release_read_everything_whenever_it_synced() {
    let record = Organization {
        users_read_at: None,
        banks_read_at: None,
        ..first_sync(&ready_to_pay(), &Rules::default()).organization
    };
    assert_eq!(record.users_read_at(), record.checked_at);

    let reads = read(
        Some(&record),
        &ready_to_pay(),
        &Rules::default(),
        SyncCause::Schedule,
        later(days(1)),
    );
    assert_eq!(names(&reads.rounds), ["banks+payments"]);
    let after = decide(
        &organization_id(),
        Some(&record),
        &reads.snapshot,
        &Rules::default(),
        later(days(1)),
    );
    assert_eq!(after.organization.users_read_at, Some(record.checked_at));
}

/// `PaymentHistory` of no page is not the same as one that was not read.
#[test]
fn an_empty_list_of_payments_is_read() {
    let snapshot = Snapshot {
        payments: Some(PaymentHistory::default()),
        ..Snapshot::default()
    };
    let previous = first_sync(&ready_to_pay(), &Rules::default()).organization;
    let wanted = wants(
        Some(&previous),
        &snapshot,
        &Rules::default(),
        SyncCause::Schedule,
        later(days(1)),
    );
    assert!(wanted.banks && !wanted.payments);
}
