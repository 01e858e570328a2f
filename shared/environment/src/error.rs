//! What is wrong with the configuration.

use std::fmt;

use errors::{ClassifiedError, ErrorType};

/// The variables that are missing or invalid: their names and the parse errors, never their values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigError {
    pub(crate) missing: Vec<String>,
    pub(crate) invalid: Vec<String>,
}

impl ConfigError {
    /// Whether nothing is missing or invalid.
    pub(crate) fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.invalid.is_empty()
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return formatter.write_str("the configuration is incomplete");
        }

        let missing =
            (!self.missing.is_empty()).then(|| format!("missing: {}", self.missing.join(", ")));
        let invalid =
            (!self.invalid.is_empty()).then(|| format!("invalid: {}", self.invalid.join(", ")));
        let parts: Vec<_> = [missing, invalid].into_iter().flatten().collect();

        write!(formatter, "environment variables {}", parts.join("; "))
    }
}

impl ClassifiedError for ConfigError {
    fn error_type(&self) -> ErrorType {
        ErrorType::ConfigInvalid
    }
}
