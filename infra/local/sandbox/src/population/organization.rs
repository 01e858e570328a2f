//! The facts about one organization. The API's rows and the expected stage are computed from them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::population::{
    payment_series::PaymentSeries, row_defect::RowDefect, seeded_random::SeededRandom,
};

/// An organization with its users, bank accounts, payments and risk verification. In JSON, absent
/// fields have their default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Organization {
    /// BILL's id, which begins with `008`. `None` only in a row that violates the contract.
    pub id: Option<String>,
    /// The company's name.
    pub name: Option<String>,
    /// Whether the organization is archived.
    pub archived: bool,
    /// When the organization was created.
    pub created_at: Timestamp,
    /// The test case that the organization represents.
    pub scenario: String,
    /// The organization's users.
    pub users: Vec<User>,
    /// The organization's bank accounts.
    pub bank_accounts: Vec<BankAccount>,
    /// The organization's payments.
    pub payments: Vec<PaymentSeries>,
    /// The organization's risk verification. `None` means that it has not started.
    pub verification: Option<Verification>,
    /// How the organization's row violates the contract.
    pub defect: RowDefect,
}

/// A user of an organization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct User {
    /// BILL's id, which begins with `006`. An empty id is replaced with a generated one.
    pub id: String,
    /// Whether the user is archived. An archived user cannot sign in.
    pub archived: bool,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// BILL's role type, such as `ADMINISTRATOR`.
    pub role: String,
    /// The operations (`operationId`) that BILL refuses this user with status 403, beside those of
    /// the role.
    pub denied_operations: BTreeSet<String>,
    /// When the user was created.
    pub created_at: Timestamp,
    /// How the user's row violates the contract.
    pub defect: RowDefect,
}

/// A bank account of an organization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BankAccount {
    /// BILL's id, which begins with `bac`. An empty id is replaced with a generated one.
    pub id: String,
    /// Whether the account is archived. BILL lists a new account as archived until it is verified.
    pub archived: bool,
    /// BILL's status, such as `VERIFIED`.
    pub status: String,
    /// When the account was created.
    pub created_at: Timestamp,
    /// When the account was last updated. `None` means that the row has no such field.
    pub updated_at: Option<Timestamp>,
    /// How the account's row violates the contract.
    pub defect: RowDefect,
}

/// An organization's risk verification.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Verification {
    /// `IN_PROGRESS` or `COMPLETED`.
    pub processing_status: String,
    /// BILL's decision, such as `APPROVE`.
    pub decision: String,
}

/// Changes to an organization. Absent fields stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrganizationPatch {
    /// The new name.
    pub name: Option<String>,
    /// Whether the organization is archived.
    pub archived: Option<bool>,
    /// Replaces all users.
    pub users: Option<Vec<User>>,
    /// Replaces all bank accounts.
    pub bank_accounts: Option<Vec<BankAccount>>,
    /// Replaces all payments.
    pub payments: Option<Vec<PaymentSeries>>,
    /// Payments to add before the existing ones.
    pub add_payments: Vec<PaymentSeries>,
    /// The new risk verification.
    pub verification: Option<Verification>,
}

impl Organization {
    /// Generates the missing ids of users and bank accounts from the organization's id and their
    /// position.
    pub(crate) fn fill_ids(&mut self) {
        let random = SeededRandom::from_id(self.id.as_deref().unwrap_or(&self.scenario));
        let seed = random.bill_id("008");

        for (index, user) in self.users.iter_mut().enumerate() {
            if user.id.is_empty() {
                user.id = SeededRandom::from_id(&format!("{seed} user {index}")).bill_id("006");
            }
        }
        for (index, account) in self.bank_accounts.iter_mut().enumerate() {
            if account.id.is_empty() {
                account.id = SeededRandom::from_id(&format!("{seed} bank {index}")).bill_id("bac");
            }
        }
    }

    pub(crate) fn apply_patch(&mut self, patch: OrganizationPatch) {
        let OrganizationPatch {
            name,
            archived,
            users,
            bank_accounts,
            payments,
            add_payments,
            verification,
        } = patch;

        self.name = name.or(self.name.take());
        self.archived = archived.unwrap_or(self.archived);
        self.users = users.unwrap_or(std::mem::take(&mut self.users));
        self.bank_accounts = bank_accounts.unwrap_or(std::mem::take(&mut self.bank_accounts));
        self.payments = payments.unwrap_or(std::mem::take(&mut self.payments));
        self.payments.splice(0..0, add_payments);
        self.verification = verification.or(self.verification.take());
    }
}

impl User {
    /// An unarchived user with this role and no name.
    pub fn new(role: &str, email: &str, created_at: Timestamp) -> Self {
        Self {
            email: Some(email.to_owned()),
            role: role.to_owned(),
            created_at,
            ..Self::default()
        }
    }

    /// An unarchived administrator with no name.
    pub fn administrator(email: &str, created_at: Timestamp) -> Self {
        Self::new("ADMINISTRATOR", email, created_at)
    }
}

impl BankAccount {
    /// An unarchived account with this status.
    pub fn new(status: &str, created_at: Timestamp) -> Self {
        Self {
            status: status.to_owned(),
            created_at,
            updated_at: Some(created_at),
            ..Self::default()
        }
    }

    /// The same account, archived.
    #[must_use]
    pub fn archived(self) -> Self {
        Self {
            archived: true,
            ..self
        }
    }
}

impl Verification {
    /// A verification with this decision: in progress for `IN_PROGRESS` and `PENDING`, completed
    /// for all others.
    pub fn new(decision: &str) -> Self {
        let processing_status = if matches!(decision, "IN_PROGRESS" | "PENDING") {
            "IN_PROGRESS"
        } else {
            "COMPLETED"
        };

        Self {
            processing_status: processing_status.to_owned(),
            decision: decision.to_owned(),
        }
    }
}
