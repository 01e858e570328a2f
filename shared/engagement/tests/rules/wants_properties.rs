//! Property of the plan of reads: a decision needs no more of them.

use engagement::{Decision, Organization, Rules, Snapshot, Stage, SyncCause, Verification, decide};
use jiff::Timestamp;
use proptest::{collection::vec, prelude::*};

use crate::{
    reads::{names, read},
    strategies::{moment, rules as any_rules, snapshot as any_snapshot},
    support::organization_id,
};

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
