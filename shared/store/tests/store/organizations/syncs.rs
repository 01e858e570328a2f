//! Syncs of organizations, and which organizations are due.

use std::ops::Range;

use engagement::{Decision, Organization};
use store::{MakeDueProgress, WriteOutcome};

use crate::{
    fixtures::{at, decision, id, write_decision},
    tables::Tables,
};

/// The first syncs of organizations, at that time.
pub async fn sync(tables: &Tables, numbers: Range<usize>, checked_at: &str) {
    for number in numbers {
        write_decision(tables, &decision(number, 1, checked_at, &[]), None).await;
    }
}

/// The second sync of an organization.
pub async fn sync_again(tables: &Tables, number: usize, checked_at: &str) -> WriteOutcome {
    let previous = tables.organizations().get(&id(number)).await.unwrap();
    write_decision_over(tables, previous, checked_at).await
}

/// Writes the second sync of an organization over the record that it has read.
pub async fn write_decision_over(
    tables: &Tables,
    previous: Option<Organization>,
    checked_at: &str,
) -> WriteOutcome {
    let mut decision = Decision {
        transition: None,
        ..decision(0, 2, checked_at, &[])
    };
    decision.organization.organization_id = previous.as_ref().unwrap().organization_id.clone();

    write_decision(tables, &decision, previous.as_ref()).await
}

/// The numbers below `count` whose organizations are due at that time, as fan-out finds them.
pub async fn due_at(tables: &Tables, count: usize, time: &str) -> Vec<usize> {
    let due = tables
        .organizations()
        .due(at(time), usize::MAX)
        .await
        .unwrap();
    let due: Vec<_> = due
        .into_iter()
        .map(|organization| organization.id)
        .collect();

    (0..count)
        .filter(|number| due.contains(&id(*number)))
        .collect()
}

/// The expected progress without unreadable items.
pub fn progress(organizations: u64, made_due: u64) -> MakeDueProgress {
    MakeDueProgress {
        organizations,
        made_due,
        unreadable: Vec::new(),
    }
}
