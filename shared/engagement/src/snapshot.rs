//! A snapshot of one organization: the facts that the rules need, as BILL returns them.

use jiff::{SignedDuration, Timestamp};

use crate::{
    identity::UserId,
    payments::PaymentHistory,
    personal::{EmailAddress, Name},
    time::age,
};

/// What one sync read about an organization. `None` is a fact that was not read, which is not the
/// same as an empty list: it keeps the value of the last sync that read it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// Whether the organization is archived in BILL.
    pub archived: bool,
    /// The name of the organization.
    pub name: Option<Name>,
    /// When the organization was first listed.
    pub listed_at: Option<Timestamp>,
    /// When the organization was created in BILL.
    pub created_at: Option<Timestamp>,
    /// Whether the organization's row, which holds the facts above, was read for this sync.
    /// Otherwise they are those of an earlier listing.
    pub is_row_read: bool,
    /// The users of the organization, including archived ones.
    pub users: Option<Vec<User>>,
    /// The bank accounts of the organization, including archived ones.
    pub banks: Option<Vec<BankAccount>>,
    /// The summary of the payments.
    pub payments: Option<PaymentHistory>,
    /// Risk verification.
    pub verification: Option<Verification>,
    /// The user as whom this sync read bank accounts, payments or verification.
    pub reader: Option<UserId>,
    /// The users whom BILL refused in this sync: the sign-in, or what was read as them.
    pub refused: Vec<UserId>,
}

impl Snapshot {
    /// Whether the users were read, and none of them is unarchived.
    pub fn has_no_users(&self) -> bool {
        let users = self.users.as_ref();
        users.is_some_and(|users| users.iter().all(|user| user.archived))
    }

    /// The statuses of the bank accounts that are connected at `as_of`.
    pub fn connected_bank_statuses(&self, as_of: Timestamp) -> impl Iterator<Item = &BankStatus> {
        self.banks
            .iter()
            .flatten()
            .filter(move |bank| bank.is_connected(as_of))
            .map(|bank| &bank.status)
    }

    /// The unarchived users, those most likely to have access to the organization's data first:
    /// administrators, then other roles, then users without access. The oldest user first within
    /// each group. Empty if the users were not read.
    pub fn sign_in_candidates(&self) -> Vec<&User> {
        let users = self.users.iter().flatten();
        let mut candidates: Vec<&User> = users.filter(|user| !user.archived).collect();
        candidates.sort_by_key(|user| {
            let rank = match user.role {
                Some(Role::Administrator) => 0,
                _ if !user.has_access() => 2,
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
    /// BILL's id of the user.
    pub id: UserId,
    /// Whether the user is archived. Archived users are not signed in as and get no e-mails.
    pub archived: bool,
    /// The user's first name.
    pub first_name: Option<Name>,
    /// The user's e-mail address. `None` if it is missing or not valid.
    pub email: Option<EmailAddress>,
    /// The user's role.
    pub role: Option<Role>,
    /// When the user was created in BILL.
    pub created_at: Option<Timestamp>,
}

impl User {
    /// Whether the user's role may have access to the organization's data.
    pub fn has_access(&self) -> bool {
        self.role != Some(Role::NoAccess)
    }

    /// Sort key: the oldest user first, users without a creation time last, ties by id.
    pub(crate) fn creation_order(&self) -> (Timestamp, &UserId) {
        (self.created_at.unwrap_or(Timestamp::MAX), &self.id)
    }
}

/// The role of a user (`role.type`). BILL may add roles at any time.
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
    /// Any other role.
    Undefined,
}

/// One bank account that the organization connected.
#[derive(Debug, Clone, PartialEq)]
pub struct BankAccount {
    /// Whether the account is archived. BILL returns a newly added account as archived until it is
    /// verified.
    pub archived: bool,
    /// The status of the account.
    pub status: BankStatus,
    /// `updatedTime`, or else `createdTime`.
    pub updated_at: Option<Timestamp>,
}

impl BankAccount {
    /// How long an archived account that waits for verification is treated as connected.
    const PENDING_VERIFICATION_PERIOD: SignedDuration = SignedDuration::from_hours(30 * 24);

    /// Whether the account is connected at `as_of`: unarchived, or archived only because it waits
    /// for verification.
    pub fn is_connected(&self, as_of: Timestamp) -> bool {
        !self.archived
            || (matches!(self.status, BankStatus::Pending | BankStatus::NotVerified)
                && self
                    .updated_at
                    .is_some_and(|updated| age(updated, as_of) < Self::PENDING_VERIFICATION_PERIOD))
    }
}

/// The status of a bank account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::EnumIter)]
#[expect(missing_docs, reason = "BILL's own names")]
pub enum BankStatus {
    NotVerified,
    Verified,
    Pending,
    Blocked,
    Expired,
    Invalid,
    /// Any other status. Neither verified nor rejected.
    Undefined,
}

impl BankStatus {
    /// Whether the customer can pay from the account.
    pub fn is_verified(self) -> bool {
        self == Self::Verified
    }

    /// Whether the account can no longer be verified.
    pub fn is_rejected(self) -> bool {
        matches!(self, Self::Blocked | Self::Expired | Self::Invalid)
    }
}

/// The state of risk verification (`decision` of `GET /v3/risk-verifications`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::EnumIter)]
pub enum Verification {
    /// There is no verification yet.
    NotStarted,
    /// `IN_PROGRESS`, its older name `PENDING`, or an unknown decision.
    InProgress,
    /// `APPROVE`: the customer can use BILL.
    Approve,
    /// `REVIEW`: the customer can use BILL. BILL reviews the first payment.
    Review,
    /// `HOLD`: BILL needs more information.
    Hold,
    /// `DECLINE`: the customer cannot use BILL.
    Decline,
}
