use std::fmt;

use jiff::Timestamp;
use rust_decimal::Decimal;
use secrecy::SecretString;
use serde::Deserialize;

use crate::lenient;

/// An organization that the partner created. Tax id, owner, phone and addresses of the answer are
/// never read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Organization {
    /// 20 or 21 characters, beginning with `008`.
    #[serde(deserialize_with = "lenient::optional")]
    pub id: Option<String>,
    /// Closed for good when true.
    #[serde(deserialize_with = "lenient::optional")]
    pub archived: Option<bool>,
    /// The company's name, of any length and alphabet.
    #[serde(deserialize_with = "lenient::optional")]
    pub name: Option<SecretString>,
    /// When the partner created it.
    #[serde(deserialize_with = "lenient::optional")]
    pub created_time: Option<Timestamp>,
}

/// A person who may use BILL for one organization. `Debug` shows neither who it is nor the id.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct User {
    /// Begins with `006`; what [`crate::OrganizationClient::sign_in`] wants.
    #[serde(deserialize_with = "lenient::optional")]
    pub id: Option<String>,
    /// No longer a user when true.
    #[serde(deserialize_with = "lenient::optional")]
    pub archived: Option<bool>,
    /// First name.
    #[serde(deserialize_with = "lenient::optional")]
    pub first_name: Option<SecretString>,
    /// Last name.
    #[serde(deserialize_with = "lenient::optional")]
    pub last_name: Option<SecretString>,
    /// E-mail address as BILL has it, unchecked.
    #[serde(deserialize_with = "lenient::optional")]
    pub email: Option<SecretString>,
    /// What the person may do.
    #[serde(deserialize_with = "lenient::optional")]
    pub role: Option<Role>,
    /// When the person was added.
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
    /// Its kind.
    #[serde(rename = "type", deserialize_with = "lenient::optional")]
    pub kind: Option<RoleType>,
}

/// BILL's kinds of roles.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(
    missing_docs,
    reason = "BILL's own words; nothing more is known of them"
)]
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
    /// A value that BILL added later.
    #[serde(untagged)]
    Other(String),
}

/// A bank account of an organization; numbers, names and ids are never read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct BankAccount {
    /// True also for a fresh account that is not verified yet (BILL's webhook guide).
    #[serde(deserialize_with = "lenient::optional")]
    pub archived: Option<bool>,
    /// Whether it can be paid from.
    #[serde(deserialize_with = "lenient::optional")]
    pub status: Option<BankAccountStatus>,
    /// When it was added.
    #[serde(deserialize_with = "lenient::optional")]
    pub created_time: Option<Timestamp>,
    /// When anything about it changed last.
    #[serde(deserialize_with = "lenient::optional")]
    pub updated_time: Option<Timestamp>,
}

/// BILL's states of a bank account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(
    missing_docs,
    reason = "BILL's own words; nothing more is known of them"
)]
pub enum BankAccountStatus {
    NotVerified,
    Verified,
    Pending,
    Blocked,
    Expired,
    Invalid,
    Undefined,
    /// A value that BILL added later.
    #[serde(untagged)]
    Other(String),
}

/// A payment that an organization made; vendor, bills and references are never read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Payment {
    /// How far it got.
    #[serde(deserialize_with = "lenient::optional")]
    pub status: Option<PaymentStatus>,
    /// False for a payment made outside BILL and only recorded there.
    #[serde(deserialize_with = "lenient::optional")]
    pub online_payment: Option<bool>,
    /// In the payment's own currency.
    #[serde(deserialize_with = "lenient::decimal::optional")]
    pub amount: Option<Decimal>,
    /// In USD.
    #[serde(deserialize_with = "lenient::decimal::optional")]
    pub funding_amount: Option<Decimal>,
    /// When it was entered.
    #[serde(deserialize_with = "lenient::optional")]
    pub created_time: Option<Timestamp>,
}

/// BILL's states of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(
    missing_docs,
    reason = "BILL's own words; nothing more is known of them"
)]
pub enum PaymentStatus {
    Approving,
    Scheduled,
    Paid,
    Cancelled,
    Void,
    Escheated,
    Undefined,
    /// A value that BILL added later.
    #[serde(untagged)]
    Other(String),
}

/// The state of an organization's know-your-customer check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RiskVerification {
    /// Whether the check is still running.
    #[serde(deserialize_with = "lenient::optional")]
    pub processing_status: Option<ProcessingStatus>,
    /// What came of it so far.
    #[serde(deserialize_with = "lenient::optional")]
    pub decision: Option<Decision>,
}

/// Whether a risk verification is still running.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(
    missing_docs,
    reason = "BILL's own words; nothing more is known of them"
)]
pub enum ProcessingStatus {
    InProgress,
    Completed,
    /// A value that BILL added later.
    #[serde(untagged)]
    Other(String),
}

/// BILL's decision about an organization.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Decision {
    /// Verified.
    Approve,
    /// A person looks at it at the first payment; the customer may go on.
    Review,
    /// Money movement is stopped; BILL wants more information.
    Hold,
    /// Declined.
    Decline,
    /// The older name of `InProgress`.
    Pending,
    /// Not decided yet.
    InProgress,
    /// A value that BILL added later.
    #[serde(untagged)]
    Other(String),
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn documented_rows_deserialize() {
        let user: User = serde_json::from_str(
            r#"{"id":"00602MARISOLQUEBa81c","archived":false,"firstName":"Marisol","lastName":"Quebrada","email":"marisol@kestrelbakehouse.example",
                "role":{"id":"0po02ADMINKESTREb4k1","type":"ADMINISTRATOR"},"createdTime":"2026-08-14T17:06:30.000+00:00"}"#,
        )
        .unwrap();
        assert_eq!(user.id.as_deref(), Some("00602MARISOLQUEBa81c"));
        assert_eq!(
            user.email.as_ref().map(ExposeSecret::expose_secret),
            Some("marisol@kestrelbakehouse.example")
        );
        assert_eq!(
            user.role.as_ref().and_then(|role| role.kind.clone()),
            Some(RoleType::Administrator)
        );

        let payment: Payment =
            serde_json::from_str(r#"{"status":"CANCELLED","onlinePayment":true,"amount":"15","fundingAmount":15.25,"vendorName":"Cog"}"#)
                .unwrap();
        assert_eq!(payment.status, Some(PaymentStatus::Cancelled));
        assert_eq!(
            (payment.amount, payment.funding_amount),
            (Some(15.into()), "15.25".parse().ok())
        );
    }

    #[test]
    fn unknown_enum_values_are_kept_as_other() {
        let account: BankAccount = serde_json::from_str(r#"{"status":"FROZEN_BY_MOON"}"#).unwrap();
        assert_eq!(
            account.status,
            Some(BankAccountStatus::Other("FROZEN_BY_MOON".to_owned()))
        );
        let verification: RiskVerification =
            serde_json::from_str(r#"{"decision":"IN_PROGRESS","processingStatus":7}"#).unwrap();
        assert_eq!(
            verification,
            RiskVerification {
                processing_status: None,
                decision: Some(Decision::InProgress)
            }
        );
    }

    #[test]
    fn debug_shows_no_personal_or_company_data() {
        let text = r#"{"id":"00602PRIVATE","name":"Private Ltd","firstName":"Private","lastName":"Private","email":"private@private.example",
            "taxId":"private","role":{"type":"CLERK","description":"private"}}"#;
        let user: User = serde_json::from_str(text).unwrap();
        let shown = format!("{user:?}").to_lowercase();
        assert!(!shown.contains("private"), "{shown}");
        let organization: Organization = serde_json::from_str(text).unwrap();
        assert!(
            !format!("{:?}", organization.name)
                .to_lowercase()
                .contains("private")
        );
    }
}
