//! A sync that follows the plan of reads.

use engagement::{Organization, Rules, Snapshot, SyncCause, Verification, Wants, wants};
use jiff::Timestamp;

/// What a sync asks for, round by round, and what it decides.
pub struct Reads {
    pub rounds: Vec<Wants>,
    pub snapshot: Snapshot,
}

/// Reads from `bill`, where everything is known, as far as it is wanted.
pub fn read(
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
pub fn names(rounds: &[Wants]) -> Vec<String> {
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
