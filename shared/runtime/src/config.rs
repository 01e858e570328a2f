//! Reads the configuration of a function from the environment, once at start. One error names all
//! variables that are missing or invalid.

use std::{collections::HashMap, ffi::OsString, fmt::Display, str::FromStr};

use crate::errors::{ClassifiedError, ErrorType};

/// The environment variables, and the errors found so far while reading them.
///
/// ```
/// use runtime::Environment;
///
/// struct Config { table: String, limit: u32 }
///
/// let mut variables = Environment::from_pairs([("RUNS_TABLE", "runs")]);
/// let table = variables.required("RUNS_TABLE");
/// let limit = variables.optional("LIMIT", 10_000);
/// let config = variables.build(|| Some(Config { table: table?, limit: limit? }))?;
/// assert_eq!((config.table.as_str(), config.limit), ("runs", 10_000));
/// # Ok::<(), runtime::ConfigError>(())
/// ```
pub struct Environment {
    variables: HashMap<String, OsString>,
    missing: Vec<&'static str>,
    invalid: Vec<String>,
}

impl Environment {
    /// The environment of this process.
    pub fn from_process() -> Self {
        Self::from_variables(
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value))),
        )
    }

    /// An environment of these names and values, for tests.
    pub fn from_pairs<N: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        Self::from_variables(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), OsString::from(value.into()))),
        )
    }

    fn from_variables(variables: impl Iterator<Item = (String, OsString)>) -> Self {
        Self {
            variables: variables.collect(),
            missing: Vec::new(),
            invalid: Vec::new(),
        }
    }

    /// The value of a required variable. An empty value counts as missing.
    ///
    /// `None` means that the variable is missing or invalid. [`build`](Self::build) then returns an
    /// error that says which.
    pub fn required<T: FromStr>(&mut self, name: &'static str) -> Option<T>
    where
        T::Err: Display,
    {
        if self.is_set(name) {
            self.parse(name)
        } else {
            self.missing.push(name);
            None
        }
    }

    /// The value of a variable, or `default` if the variable is absent or empty.
    ///
    /// `None` means that the variable is present and invalid. [`build`](Self::build) then returns
    /// an error that says why.
    pub fn optional<T: FromStr>(&mut self, name: &'static str, default: T) -> Option<T>
    where
        T::Err: Display,
    {
        if self.is_set(name) {
            self.parse(name)
        } else {
            Some(default)
        }
    }

    /// Marks a variable as invalid although it parses, for rules that involve several variables.
    /// `reason` becomes part of the error and must not contain the value of a secret.
    pub fn reject(&mut self, name: &'static str, reason: impl Display) {
        self.invalid.push(format!("{name} ({reason})"));
    }

    /// The configuration that `assemble` builds from the values read, or one error with everything
    /// that is missing or invalid. An `Err` is permanent: the deployment must be changed.
    pub fn build<C>(self, assemble: impl FnOnce() -> Option<C>) -> Result<C, ConfigError> {
        let error = ConfigError {
            missing: self.missing,
            invalid: self.invalid,
        };

        if error.is_empty() {
            assemble().ok_or(error)
        } else {
            Err(error)
        }
    }

    fn is_set(&self, name: &str) -> bool {
        self.variables
            .get(name)
            .is_some_and(|value| !value.is_empty())
    }

    fn parse<T: FromStr>(&mut self, name: &'static str) -> Option<T>
    where
        T::Err: Display,
    {
        let Some(text) = self.variables.get(name).and_then(|value| value.to_str()) else {
            self.reject(name, "not UTF-8");
            return None;
        };

        match text.parse() {
            Ok(value) => Some(value),
            Err(reason) => {
                self.reject(name, reason);
                None
            }
        }
    }
}

/// The variables that are missing or invalid: their names and the parse errors, never their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    missing: Vec<&'static str>,
    invalid: Vec<String>,
}

impl ConfigError {
    fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.invalid.is_empty()
    }
}

impl std::error::Error for ConfigError {}

impl Display for ConfigError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_errors_are_in_one_message_without_values() {
        let mut variables = Environment::from_pairs([
            ("LIMIT", "hunter2"),
            ("EMPTY", ""),
            ("SHARE", "-1"),
            ("NAME", "local"),
        ]);

        let name = variables.required::<String>("NAME");
        let limit = variables.required::<u32>("LIMIT");
        let empty = variables.required::<String>("EMPTY");
        let absent = variables.required::<String>("ABSENT");
        let share = variables.optional::<u8>("SHARE", 0);

        let error = variables
            .build(|| Some((name?, limit?, empty?, absent?, share?)))
            .unwrap_err();

        assert_eq!(
            error.to_string(),
            "environment variables missing: EMPTY, ABSENT; invalid: \
             LIMIT (invalid digit found in string), SHARE (invalid digit found in string)"
        );
        assert_eq!(error.error_type(), ErrorType::ConfigInvalid);
    }

    #[test]
    fn an_absent_or_empty_optional_variable_takes_its_default() {
        let mut variables = Environment::from_pairs([("EMPTY", ""), ("GIVEN", "7")]);

        assert_eq!(variables.optional("EMPTY", 1), Some(1));
        assert_eq!(variables.optional("ABSENT", 2), Some(2));
        assert_eq!(variables.optional("GIVEN", 3), Some(7));
        assert_eq!(variables.build(|| Some(())), Ok(()));
    }

    #[test]
    fn a_rule_over_several_variables_can_reject_one() {
        let mut variables = Environment::from_pairs([("FROM", "5"), ("TO", "3")]);
        let from: Option<u32> = variables.required("FROM");
        let to: Option<u32> = variables.required("TO");
        if from > to {
            variables.reject("TO", "is less than FROM");
        }

        assert_eq!(
            variables.build(|| Some(())).unwrap_err().to_string(),
            "environment variables invalid: TO (is less than FROM)"
        );
    }

    #[test]
    fn the_process_environment_is_read() {
        assert!(
            Environment::from_process()
                .required::<String>("PATH")
                .is_some()
        );
    }
}
