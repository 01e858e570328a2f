//! Errors as callers, logs, metrics and alarms see them: a type with a stable name, and a message
//! without personal data or secrets.

use std::fmt::Display;

use lambda_runtime::Diagnostic;

/// Every type of error that a function returns or logs. Alarms and operators rely on the names,
/// which never change.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    strum::Display,
    strum::EnumIter,
    strum::EnumString,
    strum::IntoStaticStr,
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

/// Why an invocation failed. Lambda returns it as `{"errorType": ..., "errorMessage": ...}`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error_type}: {message}")]
pub struct Failure {
    /// The stable type.
    pub error_type: ErrorType,
    /// What happened and, where known, what to do about it. No personal data, no secrets.
    pub message: String,
}

impl Failure {
    /// A failure of this type.
    pub fn new(error_type: ErrorType, message: impl Display) -> Self {
        Self {
            error_type,
            message: message.to_string(),
        }
    }

    /// A failure from a library that knows only the names of its error types, such as `bill` and
    /// `store`: `Failure::named(error.type_name(), &error)`. An unknown name becomes
    /// [`ErrorType::Internal`] and part of the message.
    pub fn named(type_name: &str, message: impl Display) -> Self {
        match type_name.parse() {
            Ok(error_type) => Self::new(error_type, message),
            Err(_) => Self::new(ErrorType::Internal, format_args!("{type_name}: {message}")),
        }
    }
}

impl<E: ClassifiedError> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error.error_type(), error)
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self {
            error_type: failure.error_type.name().to_owned(),
            error_message: failure.message,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
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

    #[test]
    fn every_name_parses_to_its_type() {
        for error_type in ErrorType::iter() {
            assert_eq!(
                Failure::named(error_type.name(), "x"),
                Failure::new(error_type, "x")
            );
        }
    }

    #[test]
    fn an_unknown_name_stays_readable() {
        assert_eq!(
            Failure::named("store_on_fire", "hot").to_string(),
            "internal: store_on_fire: hot"
        );
    }

    #[test]
    fn lambda_answers_type_and_message() {
        let diagnostic = Diagnostic::from(Failure::new(ErrorType::SecretMissing, "no value yet"));

        assert_eq!(
            serde_json::to_value(diagnostic).unwrap(),
            json!({"errorType": "secret_missing", "errorMessage": "no value yet"})
        );
    }
}
