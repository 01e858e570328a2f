//! Which reads of BILL a sync still needs.

use jiff::{SignedDuration, Timestamp};

use crate::{
    candidates::sign_in_candidates,
    decide::{is_step_due, is_unconfirmed_loss},
    facts::Facts,
    organization::Organization,
    rules::Rules,
    snapshot::Snapshot,
    stage::{Stage, classify_facts},
    time::saturating_add,
};

/// How long the list of users is taken to be unchanged.
const USERS_LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Why an organization is synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncCause {
    /// Its next sync is due.
    Schedule,
    /// BILL's events say that something changed.
    Events,
}

/// Reads that can be made side by side, each one request or the pages of one list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one for each kind of read")]
pub struct Wants {
    /// The row of the organization in the partner's list.
    pub row: bool,
    /// The users.
    pub users: bool,
    /// The bank accounts, as one of the users.
    pub banks: bool,
    /// The payments, as one of the users.
    pub payments: bool,
    /// The risk verification, as one of the users.
    pub verification: bool,
}

impl Wants {
    /// Whether nothing is wanted: the snapshot is complete.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Whether a read needs the session of one of the organization's users.
    pub fn needs_user_session(self) -> bool {
        self.banks || self.payments || self.verification
    }

    /// The number of reads, the sign-in as a user included.
    pub fn requests(self) -> u32 {
        [
            self.row,
            self.users,
            self.banks,
            self.payments,
            self.verification,
            self.needs_user_session(),
        ]
        .into_iter()
        .map(u32::from)
        .sum()
    }
}

/// The reads that a sync needs before [`decide`](crate::decide), given what it has read so far in
/// `snapshot`: those that can be made now. A sync reads until nothing is wanted.
///
/// A decision from a snapshot that wants nothing is the one from a snapshot with everything, as
/// long as what was not read is as the record `previous` says.
pub fn wants(
    previous: Option<&Organization>,
    snapshot: &Snapshot,
    rules: &Rules,
    cause: SyncCause,
    as_of: Timestamp,
) -> Wants {
    if snapshot.archived {
        return Wants::default();
    }

    let facts = Facts::new(previous, snapshot, as_of);
    let reads = reads_of_facts(previous, snapshot, &facts, cause);
    let is_complete = reads.is_empty();
    if is_complete && is_unconfirmed_loss(previous, snapshot, as_of) {
        return reads;
    }
    if is_complete && facts.depend_on_verification() && snapshot.verification.is_none() {
        return Wants {
            verification: true,
            ..reads
        };
    }

    let step_is_due = if is_complete {
        is_step_due(previous, &facts, rules)
    } else {
        is_step_expected(previous, snapshot, &facts, rules)
    };
    Wants {
        row: step_is_due && !snapshot.is_row_read,
        users: reads.users || (step_is_due && snapshot.users.is_none()),
        ..reads
    }
}

/// The reads without which the facts are not known, apart from verification.
fn reads_of_facts(
    previous: Option<&Organization>,
    snapshot: &Snapshot,
    facts: &Facts,
    cause: SyncCause,
) -> Wants {
    if snapshot.has_no_users() {
        return Wants::default(); // nobody to sign in as
    }

    let is_marked = previous.is_some_and(|previous| previous.loss_seen_at.is_some());
    let has_candidate = !sign_in_candidates(previous, snapshot).is_empty();
    let can_read = has_candidate || snapshot.users.is_some();
    let are_users_old = previous.is_some_and(|previous| {
        saturating_add(previous.users_read_at(), USERS_LIFETIME) <= facts.as_of
    });
    // An active customer that goes on paying stays active, whatever its bank accounts are.
    let is_paying = previous.is_some_and(|previous| previous.stage == Stage::Active)
        && (snapshot.payments.is_none() || classify_facts(facts).0 == Stage::Active);
    let needs_banks = is_marked || cause == SyncCause::Events || !is_paying;

    Wants {
        row: false,
        // A user who lost the right to read may be shown empty lists.
        users: snapshot.users.is_none() && (!has_candidate || is_marked || are_users_old),
        banks: snapshot.banks.is_none() && can_read && needs_banks,
        payments: snapshot.payments.is_none() && can_read,
        verification: false,
    }
}

/// Whether a step will be due if BILL's data is as the record says. Not foretold for a customer that
/// is about to become dormant: it may have paid again.
fn is_step_expected(
    previous: Option<&Organization>,
    snapshot: &Snapshot,
    facts: &Facts,
    rules: &Rules,
) -> bool {
    previous.is_some_and(|record| {
        let (stage, _) = classify_facts(facts);
        let may_have_paid =
            snapshot.payments.is_none() && record.stage == Stage::Active && stage != Stage::Active;
        !may_have_paid && record.loss_seen_at.is_none() && is_step_due(previous, facts, rules)
    })
}
