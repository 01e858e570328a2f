//! What BILL says about one organization, reduced to the facts that the rules need.

use jiff::{SignedDuration, Timestamp};

use crate::{
    identity::UserId,
    payments::PaymentHistory,
    personal::{EmailAddress, Name},
    stage::age,
};

/// Facts about one organization, read from BILL at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// Archived in BILL.
    pub archived: bool,
    /// The organization's name.
    pub name: Option<Name>,
    /// When the organization was created in BILL.
    pub created_at: Option<Timestamp>,
    /// The organization's users, archived ones included.
    pub users: Vec<User>,
    /// The organization's bank accounts, archived ones included.
    pub banks: Vec<BankAccount>,
    /// What the list of payments told.
    pub payments: PaymentHistory,
    /// Risk verification. `None` when it was not asked for.
    pub verification: Option<Verification>,
}

impl Snapshot {
    /// Whether risk verification has to be read: only it tells apart an organization that is still
    /// enrolling from one that is enrolled and did nothing yet.
    pub fn needs_verification(&self, as_of: Timestamp) -> bool {
        !self.archived
            && self.payments.newest().is_none()
            && self.connected_bank_statuses(as_of).next().is_none()
            && self.users.iter().any(|user| !user.archived)
    }

    /// The statuses of the bank accounts that count at `as_of`.
    pub fn connected_bank_statuses(&self, as_of: Timestamp) -> impl Iterator<Item = &BankStatus> {
        self.banks
            .iter()
            .filter(move |bank| bank.counts(as_of))
            .map(|bank| &bank.status)
    }

    /// Unarchived users, those most likely to be allowed to read the organization first:
    /// administrators, then the oldest. Users who can do nothing come last.
    pub fn sign_in_candidates(&self) -> Vec<&User> {
        let mut candidates: Vec<&User> = self.users.iter().filter(|user| !user.archived).collect();
        candidates.sort_by_key(|user| {
            let rank = match user.role {
                Some(Role::Administrator) => 0,
                Some(Role::NoAccess) => 2,
                _ => 1,
            };
            (rank, user.creation_order())
        });
        candidates
    }
}

/// One user of an organization.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// BILL's id.
    pub id: UserId,
    /// Archived users are neither signed in as nor written to.
    pub archived: bool,
    /// First name.
    pub first_name: Option<Name>,
    /// E-mail address, when there is one that mail can be sent to.
    pub email: Option<EmailAddress>,
    /// The user's role.
    pub role: Option<Role>,
    /// When the user was created in BILL.
    pub created_at: Option<Timestamp>,
}

impl User {
    /// Sorts the oldest user first; users without a creation time last; ties by id.
    pub(crate) fn creation_order(&self) -> (Timestamp, &UserId) {
        (self.created_at.unwrap_or(Timestamp::MAX), &self.id)
    }
}

/// A user's role (`role.type`). BILL may add roles at any time.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, strum::EnumString, strum::Display, strum::EnumIter,
)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "BILL's own names")]
pub enum Role {
    Administrator,
    Clerk,
    Approver,
    Accountant,
    Custom,
    Payer,
    Partner,
    Auditor,
    NoAccess,
    Member,
    Internal,
    PurchaseRequester,
    ConsoleCustom,
    /// Any role that is not known here.
    Undefined,
}

/// One bank account that the organization connected.
#[derive(Debug, Clone, PartialEq)]
pub struct BankAccount {
    /// BILL shows a freshly added account as archived until it is verified.
    pub archived: bool,
    /// The account's status.
    pub status: BankStatus,
    /// `updatedTime`, else `createdTime`.
    pub updated_at: Option<Timestamp>,
}

impl BankAccount {
    /// How long an archived account that waits for verification still counts as being added.
    const PENDING_VERIFICATION_PERIOD: SignedDuration = SignedDuration::from_hours(30 * 24);

    /// Whether the account counts as connected at `as_of`: unarchived, or archived only because it
    /// waits for verification.
    pub fn counts(&self, as_of: Timestamp) -> bool {
        !self.archived
            || (matches!(self.status, BankStatus::Pending | BankStatus::NotVerified)
                && self
                    .updated_at
                    .is_some_and(|updated| age(updated, as_of) < Self::PENDING_VERIFICATION_PERIOD))
    }
}

/// Status of a bank account. A status that BILL adds later is [`BankStatus::Undefined`]: not
/// verified, not rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::EnumString, strum::EnumIter)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "BILL's own names")]
pub enum BankStatus {
    NotVerified,
    Verified,
    Pending,
    Blocked,
    Expired,
    Invalid,
    Undefined,
}

impl BankStatus {
    /// The account cannot be verified any more.
    pub fn is_rejected(self) -> bool {
        matches!(self, Self::Blocked | Self::Expired | Self::Invalid)
    }
}

/// How far risk verification has come (`decision` of `GET /v3/risk-verifications`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::EnumIter)]
pub enum Verification {
    /// BILL knows of none.
    NotStarted,
    /// Running: `IN_PROGRESS`, its older name `PENDING`, or a decision that is not known here.
    InProgress,
    /// `APPROVE`: the customer may go on.
    Approve,
    /// `REVIEW`: the customer may go on; BILL looks again at the first payment.
    Review,
    /// `HOLD`: BILL wants more information.
    Hold,
    /// `DECLINE`: the customer cannot use BILL.
    Decline,
}
