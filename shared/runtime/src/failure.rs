//! The failure of an invocation: an error type, and a message without personal data or secrets.

use std::fmt::Display;

use errors::{ClassifiedError, ErrorType};
use lambda_runtime::Diagnostic;

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

    use super::*;

    #[test]
    fn lambda_answers_type_and_message() {
        let diagnostic = Diagnostic::from(Failure::new(ErrorType::SecretMissing, "no value yet"));

        assert_eq!(
            serde_json::to_value(diagnostic).unwrap(),
            json!({"errorType": "secret_missing", "errorMessage": "no value yet"})
        );
    }
}
