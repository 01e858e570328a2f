//! Which reads a sync makes, and that a decision needs no more of them.

use engagement::{
    BankStatus, Decision, Organization, PaymentHistory, Role, Rules, Snapshot, Stage, SyncCause,
    User, UserId, Verification, Wants, decide, sign_in_candidates, wants,
};
use jiff::{SignedDuration, Timestamp};
use proptest::{collection::vec, prelude::*};
use rstest::rstest;

use crate::{
    strategies::{moment, rules as any_rules, snapshot as any_snapshot},
    support::{
        administrator, bank, campaign, days, empty, first_sync, hours, later, organization_id,
        paid, ready_to_pay, rules, step,
    },
};

/// What a sync asks for, round by round, and what it decides.
struct Reads {
    rounds: Vec<Wants>,
    snapshot: Snapshot,
}

/// Reads from `bill`, where everything is known, as far as it is wanted.
fn read(
    previous: Option<&Organization>,
    bill: &Snapshot,
    rules: &Rules,
    cause: SyncCause,
    as_of: Timestamp,
) -> Reads {
    let mut snapshot = Snapshot {
        archived: previous.is_some_and(|previous| previous.archived),
        name: bill.name.clone(),
        created_at: bill.created_at,
        listed_at: bill.listed_at,
        ..Snapshot::default()
    };
    let mut rounds = Vec::new();
    loop {
        let wanted = wants(previous, &snapshot, rules, cause, as_of);
        if wanted.is_empty() {
            return Reads { rounds, snapshot };
        }
        if wanted.row {
            snapshot.is_row_read = true;
            snapshot.archived = bill.archived;
        }
        if wanted.users {
            snapshot.users.clone_from(&bill.users);
        }
        if wanted.banks {
            snapshot.banks.clone_from(&bill.banks);
        }
        if wanted.payments {
            snapshot.payments.clone_from(&bill.payments);
        }
        if wanted.verification {
            snapshot.verification = bill.verification.or(Some(Verification::NotStarted));
        }
        rounds.push(wanted);
        assert!(rounds.len() < 9, "the reads do not end: {rounds:?}");
    }
}

/// The reads of each round, by name.
fn names(rounds: &[Wants]) -> Vec<String> {
    let name = |wants: &Wants| {
        let names = [
            (wants.users, "users"),
            (wants.row, "row"),
            (wants.banks, "banks"),
            (wants.payments, "payments"),
            (wants.verification, "verification"),
        ];
        let wanted = names.into_iter().filter(|(is_wanted, _)| *is_wanted);
        wanted.map(|(_, name)| name).collect::<Vec<_>>().join("+")
    };
    rounds.iter().map(name).collect()
}

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

/// The user of this number.
fn user_id(number: u8) -> UserId {
    administrator(number).id
}

#[test]
fn who_could_read_stands_first_and_who_was_refused_last() {
    let rules = Rules::default();
    let bill = Snapshot {
        users: Some((1..=4).map(administrator).collect()),
        ..ready_to_pay()
    };
    let contacts = |previous: Option<&Organization>, snapshot: &Snapshot| {
        let decision = decide(
            &organization_id(),
            previous,
            snapshot,
            &rules,
            later(days(1)),
        );
        decision.organization.contacts
    };

    let read_as_third = Snapshot {
        reader: Some(user_id(3)),
        refused: vec![user_id(1), user_id(2)],
        ..bill.clone()
    };
    assert_eq!(contacts(None, &read_as_third), [3, 4].map(user_id));

    // Without the list of users, the remembered ones change places.
    let previous = first_sync(&bill, &rules).organization;
    assert_eq!(previous.contacts, [1, 2].map(user_id));
    let read_as_second = Snapshot {
        users: None,
        reader: Some(user_id(2)),
        refused: vec![user_id(1)],
        ..bill.clone()
    };
    assert_eq!(
        contacts(Some(&previous), &read_as_second),
        [2, 1].map(user_id)
    );

    // One who could read goes on to stand first, though another ranks before, but not if demoted.
    let previous = Organization {
        contacts: [3, 4].map(user_id).to_vec(),
        ..previous
    };
    let again = sign_in_candidates(Some(&previous), &bill);
    assert_eq!(again, [3, 1, 2, 4].map(user_id));
    let demoted = Snapshot {
        users: Some(vec![
            User {
                role: Some(Role::NoAccess),
                ..administrator(3)
            },
            administrator(4),
        ]),
        ..bill
    };
    let again = sign_in_candidates(Some(&previous), &demoted);
    assert_eq!(again, [4, 3].map(user_id));
}

/// BILL as the record of `previous` saw it, with changes to what the sync reads in any case.
fn unchanged(history: &[(Snapshot, Timestamp)], changes: &Snapshot) -> Snapshot {
    let (last, _) = history.last().unwrap();
    Snapshot {
        payments: changes.payments.clone(),
        verification: changes.verification,
        ..last.clone()
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(512)
    })]

    /// Whatever was not read is at BILL as it was when it was last read.
    #[test]
    fn a_sync_that_read_what_is_wanted_decides_as_one_that_read_everything(
        rules in any_rules(),
        mut history in vec((any_snapshot(), moment()), 1..4),
        changes in any_snapshot(),
        are_banks_new in any::<bool>(),
        cause in prop_oneof![Just(SyncCause::Schedule), Just(SyncCause::Events)],
        at in moment(),
    ) {
        history.sort_by_key(|(_, as_of)| *as_of);
        history.dedup_by_key(|(_, as_of)| *as_of);
        let previous = history.iter().fold(None, |previous: Option<Organization>, (bill, as_of)| {
            Some(decide_with(previous.as_ref(), bill, &rules, *as_of).organization)
        });
        let previous = previous.as_ref();
        prop_assume!(history.last().is_some_and(|(_, last)| *last < at));
        let mut bill = unchanged(&history, &changes);
        bill.archived = previous.is_some_and(|previous| previous.archived);
        bill.verification = bill.verification.or(Some(Verification::NotStarted));
        if bill.has_no_users() {
            // There is nobody to read as.
            (bill.banks, bill.payments, bill.verification) = (None, None, None);
        }
        if previous.is_some_and(|previous| previous.stage != Stage::Active)
            && bill.banks.is_some()
            && are_banks_new
        {
            bill.banks = changes.banks.clone();
        }

        // Verification counts only where the customer has neither a bank account nor a payment.
        let has_bank = bill.connected_bank_statuses(at).next().is_some();
        if has_bank || bill.payments.as_ref().is_some_and(|read| read.last_payment_at().is_some()) {
            bill.verification = None;
        }

        let reads = read(previous, &bill, &rules, cause, at);
        let as_wanted = decide_with(previous, &reads.snapshot, &rules, at);
        let with_everything = decide_with(previous, &bill, &rules, at);

        let outcome = |decision: Decision| (
            decision.organization.stage,
            decision.organization.stage_reason,
            decision.organization.stage_since,
            decision.organization.next_check_at,
            decision.organization.steps,
            decision.transition,
            decision.notices,
        );
        prop_assert_eq!(outcome(as_wanted), outcome(with_everything), "{:?}", names(&reads.rounds));
    }
}

fn decide_with(
    previous: Option<&Organization>,
    snapshot: &Snapshot,
    rules: &Rules,
    as_of: Timestamp,
) -> Decision {
    decide(&organization_id(), previous, snapshot, rules, as_of)
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
