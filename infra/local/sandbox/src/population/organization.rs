//! One organization: the facts from which the API's rows are written and its expected stage is
//! computed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::population::names::SeededRandom;

/// An organization with all that belongs to it. Absent fields take their default, over HTTP too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Organization {
    /// Begins with `008`. None only in a row that breaks the contract.
    pub id: Option<String>,
    /// The company's name.
    pub name: Option<String>,
    /// Whether it is archived.
    pub archived: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// Which case it stands for.
    pub scenario: String,
    /// Its users.
    pub users: Vec<User>,
    /// Its bank accounts.
    pub banks: Vec<Bank>,
    /// Its payments.
    pub payments: Vec<Payments>,
    /// Its risk verification. None: nobody initiated one.
    pub verification: Option<Verification>,
    /// How its row is broken.
    pub shape: Shape,
}

/// A user of an organization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct User {
    /// Begins with `006`; filled in when empty.
    pub id: String,
    /// Whether the user is archived, and so cannot sign in.
    pub archived: bool,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// BILL's role type, such as `ADMINISTRATOR`.
    pub role: String,
    /// When the user was created.
    pub created_at: Timestamp,
    /// How its row is broken.
    pub shape: Shape,
}

/// A bank account of an organization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bank {
    /// Begins with `bac`; filled in when empty.
    pub id: String,
    /// Whether it is archived; BILL shows a new account so until it is verified.
    pub archived: bool,
    /// BILL's status, such as `VERIFIED`.
    pub status: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was changed. None: the row has no such field.
    pub updated_at: Option<Timestamp>,
    /// How its row is broken.
    pub shape: Shape,
}

/// A payment, or a run of payments that differ in their time alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Payments {
    /// BILL's status, such as `PAID`. None: the row has no such field.
    pub status: Option<String>,
    /// False: made outside BILL and only recorded. None: the row has no such field.
    pub online: Option<bool>,
    /// Whether a card paid for it instead of a bank account.
    pub by_card: bool,
    /// The amount of each, in cents.
    pub amount_cents: i64,
    /// When the newest of them was created.
    pub newest_at: Timestamp,
    /// How many there are.
    pub count: usize,
    /// How far apart they are, in seconds.
    pub interval_seconds: i64,
    /// How their rows are broken.
    pub shape: Shape,
}

/// Risk verification as BILL has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Verification {
    /// `IN_PROGRESS` or `COMPLETED`.
    pub processing_status: String,
    /// BILL's decision, such as `APPROVE`.
    pub decision: String,
}

/// How a row breaks the contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Not at all.
    #[default]
    Whole,
    /// No `id`.
    WithoutId,
    /// No `createdTime`.
    WithoutCreatedTime,
    /// The amount is a text. Payments only.
    AmountAsText,
    /// The row is a text instead of an object.
    NotAnObject,
}

/// What happened to an organization. Absent fields leave what is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Change {
    /// A new name.
    pub name: Option<String>,
    /// Archived, or back again.
    pub archived: Option<bool>,
    /// Other users.
    pub users: Option<Vec<User>>,
    /// Other bank accounts.
    pub banks: Option<Vec<Bank>>,
    /// Other payments.
    pub payments: Option<Vec<Payments>>,
    /// More payments, put before those that are there.
    pub add_payments: Vec<Payments>,
    /// A new state of risk verification.
    pub verification: Option<Verification>,
}

impl Organization {
    /// Fills in the ids of users and bank accounts that have none; they follow from the
    /// organization's id and their place.
    pub(crate) fn fill_ids(&mut self) {
        let draw = SeededRandom::of(self.id.as_deref().unwrap_or(&self.scenario));
        for (place, user) in self
            .users
            .iter_mut()
            .enumerate()
            .filter(|(_, user)| user.id.is_empty())
        {
            user.id = SeededRandom::of(&format!("{} user {place}", draw.id("008"))).id("006");
        }
        for (place, bank) in self
            .banks
            .iter_mut()
            .enumerate()
            .filter(|(_, bank)| bank.id.is_empty())
        {
            bank.id = SeededRandom::of(&format!("{} bank {place}", draw.id("008"))).id("bac");
        }
    }

    pub(crate) fn apply(&mut self, change: Change) {
        let Change {
            name,
            archived,
            users,
            banks,
            payments,
            add_payments,
            verification,
        } = change;
        self.name = name.or(self.name.take());
        self.archived = archived.unwrap_or(self.archived);
        self.users = users.unwrap_or(std::mem::take(&mut self.users));
        self.banks = banks.unwrap_or(std::mem::take(&mut self.banks));
        self.payments = payments.unwrap_or(std::mem::take(&mut self.payments));
        self.payments.splice(0..0, add_payments);
        self.verification = verification.or(self.verification.take());
    }
}

impl User {
    /// An unarchived user of this role, without a name.
    pub fn new(role: &str, email: &str, created_at: Timestamp) -> Self {
        Self {
            email: Some(email.to_owned()),
            role: role.to_owned(),
            created_at,
            ..Self::default()
        }
    }

    /// An unarchived administrator without a name.
    pub fn administrator(email: &str, created_at: Timestamp) -> Self {
        Self::new("ADMINISTRATOR", email, created_at)
    }
}

impl Bank {
    /// An unarchived account of this status.
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

impl Default for Payments {
    /// One payment of 412.50 from a bank account, made through BILL in 1970.
    fn default() -> Self {
        Self {
            status: Some("PAID".to_owned()),
            online: Some(true),
            by_card: false,
            amount_cents: 41_250,
            newest_at: Timestamp::default(),
            count: 1,
            interval_seconds: 86_400,
            shape: Shape::Whole,
        }
    }
}

impl Payments {
    /// One payment made through BILL.
    pub fn paid(newest_at: Timestamp) -> Self {
        Self {
            newest_at,
            ..Self::default()
        }
    }

    /// One payment of this status.
    pub fn with_status(status: &str, newest_at: Timestamp) -> Self {
        Self {
            status: Some(status.to_owned()),
            ..Self::paid(newest_at)
        }
    }

    /// The same payment this many times, `interval_seconds` apart, going back in time.
    #[must_use]
    pub fn repeated(self, count: usize, interval_seconds: i64) -> Self {
        Self {
            count,
            interval_seconds,
            ..self
        }
    }
}

impl Verification {
    /// A verification of this decision: under way for `IN_PROGRESS` and `PENDING`, completed
    /// otherwise.
    pub fn new(decision: &str) -> Self {
        let under_way = matches!(decision, "IN_PROGRESS" | "PENDING");
        let processing_status = if under_way {
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
