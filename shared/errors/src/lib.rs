//! The types of errors, as logs, metrics, alarms and callers see them.
//!
//! [`ErrorType`] is the closed list. The errors of `bill`, `store`, `content` and `runtime`
//! implement [`ClassifiedError`], so that `?` turns each of them into the failure of an invocation.
//! Code that acts on an error matches its `kind()`, which the library defines, and never compares
//! names.
//!
//! `docs/operations.md` tells operators what to do about each type.

use std::fmt::Display;

/// Every type of error that a function returns or logs. Alarms and operators rely on the names,
/// which never change.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, strum::Display, strum::EnumIter, strum::IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum ErrorType {
    /// An environment variable is missing or invalid.
    ConfigInvalid,
    /// The event or message does not have the documented format.
    EventInvalid,
    /// A secret has no value yet, or does not exist.
    SecretMissing,
    /// The value of a secret does not have the documented format.
    SecretMalformed,
    /// A secret could not be read: permission denied, throttled, or no connection.
    SecretUnreadable,
    /// BILL rejected the user name, the password or a key.
    BillBadCredentials,
    /// BILL's hourly limit for the developer key is used up.
    BillHourExhausted,
    /// BILL could not be reached or failed, also on every retry.
    BillUnavailable,
    /// BILL rejected the request. A retry gets the same response.
    BillRefused,
    /// BILL requires a session with multi-factor trust for this call.
    BillUntrustedSession,
    /// The deadline of the invocation passed during a call to BILL.
    BillDeadline,
    /// BILL's session expired, and a new sign-in did not help.
    BillSessionExpired,
    /// BILL's limit of concurrent requests was reached, also on every retry.
    BillTooManyAtOnce,
    /// BILL's response does not have the documented format.
    BillBadAnswer,
    /// The credentials for BILL could not be read.
    BillCredentialsUnreadable,
    /// BILL does not list the organization any more.
    NotListed,
    /// DynamoDB throttled a request, also on every retry.
    StoreThrottled,
    /// Another process changed the item at the same time.
    StoreConflict,
    /// A stored item could not be parsed.
    StoreUnreadable,
    /// DynamoDB could not be reached or failed.
    StoreUnavailable,
    /// DynamoDB rejected a request: permission denied, missing table, or invalid request.
    StoreRefused,
    /// SQS could not be reached or did not accept a message.
    QueueUnavailable,
    /// SES could not be reached or did not accept an e-mail.
    MailUnavailable,
    /// An SSM parameter could not be read.
    ParameterUnreadable,
    /// Campaign content could not be read or rendered.
    ContentInvalid,
    /// The code panicked: a defect.
    Panicked,
    /// An error of this program or its platform without a type of its own: a defect of the
    /// classification.
    Internal,
}

impl ErrorType {
    /// The stable name, such as `secret_missing`.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// An error that knows its [`ErrorType`]. Its `Display` reaches logs and callers, so it contains
/// neither personal data nor secrets.
pub trait ClassifiedError: Display {
    /// The type of this error in logs, metrics and alarms.
    fn error_type(&self) -> ErrorType;
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::*;

    #[test]
    fn error_type_names_are_stable() {
        let names: Vec<_> = ErrorType::iter().map(ErrorType::name).collect();
        insta::assert_snapshot!(names.join("\n"));
    }

    #[test]
    fn operations_page_documents_every_error_type() {
        let page = include_str!("../../../docs/operations.md");
        let is_documented = |name: &&str| {
            page.contains(&format!("`{name}`"))
                || (name.starts_with("store_") && page.contains("`store_...`"))
        };

        assert_eq!(
            ErrorType::iter()
                .map(ErrorType::name)
                .filter(|name| !is_documented(name))
                .collect::<Vec<_>>(),
            [""; 0]
        );
    }
}
