//! Reads and parses environment variables, and remembers which of them are missing or invalid.

use std::{collections::HashMap, ffi::OsString, fmt::Display, str::FromStr};

use crate::error::ConfigError;

/// The environment variables, and the errors found so far while reading them.
pub struct EnvironmentReader {
    variables: HashMap<String, OsString>,
    error: ConfigError,
}

impl EnvironmentReader {
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
            error: ConfigError::default(),
        }
    }

    /// The value of a required variable. An empty value counts as missing.
    ///
    /// `None` means that the variable is missing or invalid. The error of the configuration says
    /// which.
    pub fn required<T: FromStr>(&mut self, name: &str) -> Option<T>
    where
        T::Err: Display,
    {
        if self.is_set(name) {
            self.parse(name)
        } else {
            self.error.missing.push(name.to_owned());
            None
        }
    }

    /// The value of a variable, or `default` if the variable is absent or empty.
    ///
    /// `None` means that the variable is present and invalid. The error of the configuration says
    /// why.
    pub fn optional<T: FromStr>(&mut self, name: &str, default: T) -> Option<T>
    where
        T::Err: Display,
    {
        if self.is_set(name) {
            self.parse(name)
        } else {
            Some(default)
        }
    }

    /// The value that was built from the variables, or one error with everything that is missing or
    /// invalid.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, ConfigError> {
        value.filter(|_| self.error.is_empty()).ok_or(self.error)
    }

    fn is_set(&self, name: &str) -> bool {
        self.variables
            .get(name)
            .is_some_and(|value| !value.is_empty())
    }

    fn parse<T: FromStr>(&mut self, name: &str) -> Option<T>
    where
        T::Err: Display,
    {
        let Some(text) = self.variables.get(name).and_then(|value| value.to_str()) else {
            self.reject(name, "not UTF-8");
            return None;
        };

        text.parse()
            .map_err(|reason: T::Err| self.reject(name, reason))
            .ok()
    }

    fn reject(&mut self, name: &str, reason: impl Display) {
        self.error.invalid.push(format!("{name} ({reason})"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_or_empty_optional_variable_takes_its_default() {
        let mut variables = EnvironmentReader::from_pairs([("EMPTY", ""), ("GIVEN", "7")]);

        assert_eq!(variables.optional("EMPTY", 1), Some(1));
        assert_eq!(variables.optional("ABSENT", 2), Some(2));
        assert_eq!(variables.optional("GIVEN", 3), Some(7));
        assert_eq!(variables.finish(Some(())), Ok(()));
    }

    #[test]
    fn the_process_environment_is_read() {
        assert!(
            EnvironmentReader::from_process()
                .required::<String>("PATH")
                .is_some()
        );
    }
}
