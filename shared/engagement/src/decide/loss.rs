//! Losses: a snapshot that shows less than the record. It may be a fault of BILL, so a loss is
//! believed when a sync sees it again, at least four hours later.

use jiff::{SignedDuration, Timestamp};

use crate::{organization::Organization, snapshot::Snapshot};

/// Time between the sync that sees a loss first and the one that believes it.
const CONFIRMATION_DELAY: SignedDuration = SignedDuration::from_hours(4);

/// Whether the mark of a loss stays although a decision was made: not everything was read, so that
/// the loss may be where the snapshot does not look.
pub(super) fn keeps_loss_mark(snapshot: &Snapshot) -> bool {
    let is_complete =
        snapshot.users.is_some() && snapshot.banks.is_some() && snapshot.payments.is_some();
    !(snapshot.archived || snapshot.has_no_users() || is_complete)
}

/// The record of a sync that sees a loss and does not believe it yet: nothing but the mark and the
/// times changes. `None`: there is no loss, or it is believed.
pub(super) fn unconfirmed_loss(
    previous: Option<&Organization>,
    snapshot: &Snapshot,
    as_of: Timestamp,
) -> Option<Organization> {
    let previous = previous.filter(|previous| shows_loss(previous, snapshot, as_of))?;
    let seen_at = previous.loss_seen_at.unwrap_or(as_of);
    let confirmed_at = seen_at.saturating_add(CONFIRMATION_DELAY).ok()?;

    (as_of < confirmed_at).then(|| Organization {
        loss_seen_at: Some(seen_at),
        checked_at: as_of,
        users_read_at: Some(previous.users_read_at()),
        banks_read_at: Some(previous.banks_read_at()),
        next_check_at: confirmed_at,
        version: previous.version.saturating_add(1),
        ..previous.clone()
    })
}

/// Whether the snapshot shows less than the record: no user, no bank account, none that is
/// verified, or an earlier last payment. That an organization is archived is believed at once.
fn shows_loss(previous: &Organization, snapshot: &Snapshot, as_of: Timestamp) -> bool {
    if snapshot.archived {
        return false;
    }
    if snapshot.has_no_users() {
        // Without a user to sign in as, nothing else was read.
        return previous.users > 0;
    }

    let has_lost_banks = snapshot.banks.as_ref().is_some_and(|banks| {
        let mut connected = snapshot.connected_bank_statuses(as_of).peekable();
        if connected.peek().is_none() {
            // A list that still holds the accounts, archived, is not a fault.
            previous.bank_accounts > 0 && banks.is_empty()
        } else {
            previous.verified_bank_accounts > 0 && !connected.any(|status| status.is_verified())
        }
    });
    let payments = snapshot.payments.as_ref();
    has_lost_banks || payments.is_some_and(|read| read.last_payment_at() < previous.last_payment_at)
}
