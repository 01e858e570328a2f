//! The rows that BILL returns, reduced to the fields that callers need. All fields are optional and
//! parsed leniently.

use std::fmt;

use jiff::Timestamp;
use rust_decimal::Decimal;
use secrecy::SecretString;
use serde::Deserialize;

use crate::lenient;

/// An organization that the partner created. Tax id, owner, phone and addresses are not parsed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Organization {
    /// 20 or 21 characters, beginning with `008`.
    #[serde(deserialize_with = "lenient::optional")]
    pub id: Option<String>,
    /// True when the organization is closed permanently.
    #[serde(deserialize_with = "lenient::optional")]
    pub archived: Option<bool>,
    /// The company's name. BILL limits neither length nor characters.
    #[serde(deserialize_with = "lenient::optional")]
    pub name: Option<SecretString>,
    /// When the partner created it.
    #[serde(deserialize_with = "lenient::optional")]
    pub created_time: Option<Timestamp>,
}

/// A person who can use BILL for one organization. `Debug` hides the id, the name and the e-mail
/// address.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct User {
    /// Begins with `006`. The argument of `OrganizationClient::sign_in`.
    #[serde(deserialize_with = "lenient::optional")]
    pub id: Option<String>,
    /// True when the person is no longer a user.
    #[serde(deserialize_with = "lenient::optional")]
    pub archived: Option<bool>,
    /// First name.
    #[serde(deserialize_with = "lenient::optional")]
    pub first_name: Option<SecretString>,
    /// E-mail address as stored by BILL, not validated.
    #[serde(deserialize_with = "lenient::optional")]
    pub email: Option<SecretString>,
    /// The person's role.
    #[serde(deserialize_with = "lenient::optional")]
    pub role: Option<Role>,
    /// When the user was created.
    #[serde(deserialize_with = "lenient::optional")]
    pub created_time: Option<Timestamp>,
}

impl fmt::Debug for User {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("User")
            .field("archived", &self.archived)
            .field("role", &self.role)
            .field("created_time", &self.created_time)
            .finish_non_exhaustive()
    }
}

/// A user's role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Role {
    /// Kind of the role.
    #[serde(rename = "type", deserialize_with = "lenient::optional")]
    pub kind: Option<RoleType>,
}

/// The kinds of roles.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "BILL documents no more than the names")]
pub enum RoleType {
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
    Undefined,
    /// A value that this client does not know.
    #[serde(untagged)]
    Other(String),
}

/// A bank account of an organization. Account numbers, names and ids are not parsed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct BankAccount {
    /// True also for a new account that is not verified yet (BILL's webhook guide).
    #[serde(deserialize_with = "lenient::optional")]
    pub archived: Option<bool>,
    /// Verification status.
    #[serde(deserialize_with = "lenient::optional")]
    pub status: Option<BankAccountStatus>,
    /// When the account was added.
    #[serde(deserialize_with = "lenient::optional")]
    pub created_time: Option<Timestamp>,
    /// When the account was last changed.
    #[serde(deserialize_with = "lenient::optional")]
    pub updated_time: Option<Timestamp>,
}

/// The statuses of a bank account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "BILL documents no more than the names")]
pub enum BankAccountStatus {
    NotVerified,
    Verified,
    Pending,
    Blocked,
    Expired,
    Invalid,
    Undefined,
    /// A value that this client does not know.
    #[serde(untagged)]
    Other(String),
}

/// A payment that an organization made. Vendor, bills and references are not parsed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Payment {
    /// Status of the payment.
    #[serde(deserialize_with = "lenient::optional")]
    pub status: Option<PaymentStatus>,
    /// False for a payment that was made outside BILL and only recorded there.
    #[serde(deserialize_with = "lenient::optional")]
    pub online_payment: Option<bool>,
    /// Amount in the payment's own currency.
    #[serde(deserialize_with = "lenient::decimal::optional")]
    pub amount: Option<Decimal>,
    /// Amount in USD.
    #[serde(deserialize_with = "lenient::decimal::optional")]
    pub funding_amount: Option<Decimal>,
    /// When the payment was entered.
    #[serde(deserialize_with = "lenient::optional")]
    pub created_time: Option<Timestamp>,
}

/// The statuses of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "BILL documents no more than the names")]
pub enum PaymentStatus {
    Approving,
    Scheduled,
    Paid,
    Cancelled,
    Void,
    Escheated,
    Undefined,
    /// A value that this client does not know.
    #[serde(untagged)]
    Other(String),
}

/// The state of an organization's risk verification (know your customer).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RiskVerification {
    /// Whether the verification is still running.
    #[serde(deserialize_with = "lenient::optional")]
    pub processing_status: Option<ProcessingStatus>,
    /// The decision so far.
    #[serde(deserialize_with = "lenient::optional")]
    pub decision: Option<RiskDecision>,
}

/// Whether a risk verification is still running.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "BILL documents no more than the names")]
pub enum ProcessingStatus {
    InProgress,
    Completed,
    /// A value that this client does not know.
    #[serde(untagged)]
    Other(String),
}

/// BILL's decision about an organization.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RiskDecision {
    /// Verified.
    Approve,
    /// BILL reviews the organization manually at its first payment. The customer can continue.
    Review,
    /// Payments are stopped until the customer provides more information.
    Hold,
    /// Declined.
    Decline,
    /// The older name of `InProgress`.
    Pending,
    /// Not decided yet.
    InProgress,
    /// A value that this client does not know.
    #[serde(untagged)]
    Other(String),
}

#[cfg(test)]
mod tests;
