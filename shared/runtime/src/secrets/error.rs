//! Why a secret has no usable value, and what an operator can do about it.

use std::{fmt, sync::Arc};

use aws_sdk_secretsmanager::{
    error::{ProvideErrorMetadata, SdkError},
    operation::get_secret_value::GetSecretValueError,
};
use errors::{ClassifiedError, ErrorType};

/// Why a secret has no usable value. The error never contains the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The secret does not exist or has no value yet.
    #[error("the secret {label} has no value yet; store one with {}", label.store_command())]
    Missing {
        /// The secret.
        label: SecretLabel,
    },
    /// The value does not have the expected format.
    #[error(
        "the secret {label} is malformed: {problem}; store it again with {}",
        label.store_command()
    )]
    Malformed {
        /// The secret.
        label: SecretLabel,
        /// The field or place that is invalid.
        problem: String,
    },
    /// The value could not be read.
    #[error("the secret {label} cannot be read: {cause}")]
    Unreadable {
        /// The secret.
        label: SecretLabel,
        /// The error code of Secrets Manager, or a description of the connection error.
        cause: String,
        /// Whether a later read may succeed without anyone's intervention.
        is_retryable: bool,
    },
}

impl SecretError {
    /// The error of a failed `GetSecretValue`.
    pub(super) fn from_sdk(label: SecretLabel, error: &SdkError<GetSecretValueError>) -> Self {
        let Some(service_error) = error.as_service_error() else {
            return Self::without_response(label, error);
        };
        // Secrets Manager returns this also for a secret without a value: no version has the label
        // AWSCURRENT.
        if service_error.is_resource_not_found_exception() {
            return Self::Missing { label };
        }

        let status = error
            .raw_response()
            .map_or(0, |response| response.status().as_u16());
        let code = service_error.code().unwrap_or("an error without a code");
        let is_retryable = status == 429
            || status >= 500
            || code.contains("Throttl")
            || service_error.is_internal_service_error();
        let advice = if code.starts_with("AccessDenied") {
            ", the function's role must allow secretsmanager:GetSecretValue"
        } else {
            ""
        };

        Self::Unreadable {
            label,
            cause: format!("{code}{advice}"),
            is_retryable,
        }
    }

    fn without_response(label: SecretLabel, error: &SdkError<GetSecretValueError>) -> Self {
        let cause = match error {
            SdkError::TimeoutError(_) => "Secrets Manager did not respond in time",
            SdkError::DispatchFailure(_) => "Secrets Manager cannot be reached",
            SdkError::ConstructionFailure(_) => "the request could not be built",
            _ => "the response could not be parsed",
        };

        Self::Unreadable {
            label,
            cause: cause.to_owned(),
            is_retryable: !matches!(error, SdkError::ConstructionFailure(_)),
        }
    }

    /// Whether a later read may succeed without anyone's intervention.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Unreadable {
                is_retryable: true,
                ..
            }
        )
    }
}

impl ClassifiedError for SecretError {
    fn error_type(&self) -> ErrorType {
        match self {
            Self::Missing { .. } => ErrorType::SecretMissing,
            Self::Malformed { .. } => ErrorType::SecretMalformed,
            Self::Unreadable { .. } => ErrorType::SecretUnreadable,
        }
    }
}

/// The secret that an error is about, and how to store it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretLabel {
    pub(super) arn: Arc<str>,
    pub(super) purpose: &'static str,
    pub(super) shape: Option<&'static str>,
    pub(super) command: Option<&'static str>,
}

impl SecretLabel {
    pub(super) fn new(arn: String, purpose: &'static str) -> Self {
        Self {
            arn: arn.into(),
            purpose,
            shape: None,
            command: None,
        }
    }

    /// The command that stores the secret.
    fn store_command(&self) -> String {
        if let Some(command) = self.command {
            return format!("`{command}`");
        }

        let shape = self
            .shape
            .map(|shape| format!(", the file holding {shape}"))
            .unwrap_or_default();
        format!(
            "`aws secretsmanager put-secret-value --secret-id {} \
             --secret-string file://secret.json`{shape}",
            self.arn
        )
    }
}

impl fmt::Display for SecretLabel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.arn, self.purpose)
    }
}
