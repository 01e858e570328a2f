//! What is known about an organization: what a sync read, and from the record what it did not read.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::{
    organization::Organization,
    snapshot::{Snapshot, Verification},
    stage::StageReason,
};

/// The facts that stage, record and plan of reads depend on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    /// The time at which they hold.
    pub as_of: Timestamp,
    pub archived: bool,
    /// Number of unarchived users.
    pub users: u32,
    pub banks: BankFacts,
    /// Time of the last qualifying payment.
    pub last_payment_at: Option<Timestamp>,
    pub payments_30d: u32,
    pub payments_90d: u32,
    pub amount_30d: Decimal,
    /// `None` if it was not read: the stage depends on it only where it is always read.
    pub verification: Option<Verification>,
}

/// The connected bank accounts.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BankFacts {
    pub connected: u32,
    pub verified: u32,
    /// Whether none of them can be verified any more.
    pub all_rejected: bool,
}

impl Facts {
    /// The facts of `snapshot`, and those of the record `previous` that it does not have.
    pub(crate) fn new(
        previous: Option<&Organization>,
        snapshot: &Snapshot,
        as_of: Timestamp,
    ) -> Self {
        let users = match &snapshot.users {
            Some(users) => count(users.iter().filter(|user| !user.archived)),
            None => previous.map_or(0, |previous| previous.users),
        };
        let banks = if snapshot.banks.is_some() {
            BankFacts::of_snapshot(snapshot, as_of)
        } else {
            previous.map(BankFacts::of_record).unwrap_or_default()
        };
        let facts = Self {
            as_of,
            archived: snapshot.archived,
            users,
            banks,
            last_payment_at: previous.and_then(|previous| previous.last_payment_at),
            payments_30d: previous.map_or(0, |previous| previous.payments_30d),
            payments_90d: previous.map_or(0, |previous| previous.payments_90d),
            amount_30d: previous.map_or(Decimal::ZERO, |previous| previous.amount_30d),
            verification: snapshot.verification,
        };

        match &snapshot.payments {
            Some(payments) => Self {
                last_payment_at: payments.last_payment_at(),
                payments_30d: payments.payments_30d(),
                payments_90d: payments.payments_90d(),
                amount_30d: payments.amount_30d(),
                ..facts
            },
            None => facts,
        }
    }

    /// Whether the stage depends on risk verification. It distinguishes an organization that is
    /// still enrolling from one that is enrolled and has not done anything yet.
    pub(crate) fn depend_on_verification(&self) -> bool {
        !self.archived
            && self.users > 0
            && self.banks.connected == 0
            && self.last_payment_at.is_none()
    }
}

impl BankFacts {
    fn of_snapshot(snapshot: &Snapshot, as_of: Timestamp) -> Self {
        let statuses = || snapshot.connected_bank_statuses(as_of);

        Self {
            connected: count(statuses()),
            verified: count(statuses().filter(|status| status.is_verified())),
            all_rejected: statuses().all(|status| status.is_rejected()),
        }
    }

    fn of_record(record: &Organization) -> Self {
        Self {
            connected: record.bank_accounts,
            verified: record.verified_bank_accounts,
            all_rejected: record.stage_reason == StageReason::Rejected,
        }
    }
}

fn count(items: impl Iterator) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
