//! Errors as callers, logs, metrics and alarms see them: a stable type name and a message without
//! private content.

use std::fmt::Display;

use lambda_runtime::Diagnostic;

/// Every type of error that a function can answer or log. The names are an interface: alarms and
/// tests rely on them.
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
    /// An environment variable is missing or cannot be read.
    ConfigInvalid,
    /// The event or message is not of the expected shape.
    EventInvalid,
    /// A secret has no value yet, or does not exist.
    SecretMissing,
    /// A secret's value is not of the expected shape.
    SecretMalformed,
    /// A secret could not be read: no permission, throttled, or no connection.
    SecretUnreadable,
    /// BILL refused the user, the password or a key.
    BillBadCredentials,
    /// BILL's hourly limit for the developer key is used up.
    BillHourExhausted,
    /// BILL could not be reached or failed, even after repeats.
    BillUnavailable,
    /// BILL refused the request for a reason that repeating does not change.
    BillRefused,
    /// BILL wants a trusted (MFA) session for this call.
    BillUntrustedSession,
    /// The invocation's time ran out while BILL was asked.
    BillDeadline,
    /// BILL's session ended, and a new one did not help.
    BillSessionExpired,
    /// BILL's limit of concurrent requests was hit, even after waiting.
    BillTooManyAtOnce,
    /// BILL's answer could not be understood.
    BillBadAnswer,
    /// The credentials for BILL could not be obtained.
    BillCredentialsUnreadable,
    /// DynamoDB throttled a request, even after repeats.
    StoreThrottled,
    /// Somebody else changed the record meanwhile.
    StoreConflict,
    /// A stored item could not be understood.
    StoreUnreadable,
    /// DynamoDB could not be reached or failed.
    StoreUnavailable,
    /// DynamoDB refused a request: permission, missing table, or a request that is wrong.
    StoreRefused,
    /// SQS could not be reached or did not take a message.
    QueueUnavailable,
    /// SES could not be reached or did not take a message.
    MailUnavailable,
    /// An SSM parameter could not be read.
    ParameterUnreadable,
    /// Campaign content could not be read or rendered.
    ContentInvalid,
    /// Our code panicked: a bug.
    Panicked,
    /// A fault of this program or its platform that has no name of its own: a bug in our
    /// classification.
    Internal,
}

impl ErrorType {
    /// The stable name, such as `secret_missing`.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// An error that knows its [`ErrorType`]. Its `Display` reaches logs and callers, so it holds
/// nothing private.
pub trait ClassifiedError: Display {
    /// The type under which logs, metrics and alarms know this error.
    fn error_type(&self) -> ErrorType;
}

/// Why an invocation failed: what Lambda answers as `{"errorType": ..., "errorMessage": ...}`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error_type}: {message}")]
pub struct Failure {
    /// The stable type.
    pub error_type: ErrorType,
    /// What happened and, where known, what to do about it; nothing private.
    pub message: String,
}

impl Failure {
    /// A failure of a known type.
    pub fn new(error_type: ErrorType, message: impl Display) -> Self {
        Self {
            error_type,
            message: message.to_string(),
        }
    }

    /// A failure from a library that knows its errors by type name, such as `bill` and `store`:
    /// `Failure::named(error.type_name(), &error)`. A name outside the closed set becomes
    /// [`ErrorType::Internal`] and stays readable in the message.
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
    fn the_readme_documents_every_error_type() {
        let readme = include_str!("../../../README.md");
        let is_documented = |name: &&str| {
            readme.contains(&format!("`{name}`"))
                || (name.starts_with("store_") && readme.contains("`store_...`"))
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
