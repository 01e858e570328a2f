//! The declaration of a configuration.

use crate::{error::ConfigError, reader::EnvironmentReader};

/// A value that several environment variables make up, such as a struct of [`config!`].
///
/// [`config!`]: crate::config
pub trait FromEnvironment: Sized {
    /// Reads the variables.
    ///
    /// `None` means that one of them is missing or invalid; the reader has recorded which.
    fn read(reader: &mut EnvironmentReader) -> Option<Self>;

    /// Reads the variables of this process. An `Err` is permanent: the deployment must be changed.
    fn from_process() -> Result<Self, ConfigError> {
        Self::from_variables(EnvironmentReader::from_process())
    }

    /// Reads the variables of `reader`. An `Err` names all that are missing or invalid.
    fn from_variables(mut reader: EnvironmentReader) -> Result<Self, ConfigError> {
        let value = Self::read(&mut reader);
        reader.finish(value)
    }
}

/// Declares a struct whose fields are environment variables, and implements [`FromEnvironment`].
///
/// - `pub limit: u32` is read from `LIMIT`, which must be set. An empty value counts as not set.
/// - `pub limit: u32 = 10` is 10 if `LIMIT` is not set.
/// - `pub limits: Limits as group` reads the variables of `Limits`, a [`FromEnvironment`].
#[macro_export]
macro_rules! config {
    (@read $reader:ident, $field:ident, $type:ty) => {
        $reader.required::<$type>(&stringify!($field).to_ascii_uppercase())
    };
    (@read $reader:ident, $field:ident, $type:ty, = $default:expr) => {
        $reader.optional::<$type>(&stringify!($field).to_ascii_uppercase(), $default)
    };
    (@read $reader:ident, $field:ident, $type:ty, as group) => {
        <$type as $crate::FromEnvironment>::read($reader)
    };
    (
        $(#[$struct_attribute:meta])*
        $visibility:vis struct $name:ident {
            $(
                $(#[$attribute:meta])*
                $field_visibility:vis $field:ident:
                    $type:ty $(as $group:ident)? $(= $default:expr)?
            ),* $(,)?
        }
    ) => {
        $(#[$struct_attribute])*
        #[derive(Debug, Clone)]
        $visibility struct $name {
            $($(#[$attribute])* $field_visibility $field: $type,)*
        }

        impl $crate::FromEnvironment for $name {
            fn read(reader: &mut $crate::EnvironmentReader) -> Option<Self> {
                // All are read before the first one that is missing ends the function.
                $(
                    let $field = $crate::config!(
                        @read reader, $field, $type $(, as $group)? $(, = $default)?
                    );
                )*

                Some(Self { $($field: $field?,)* })
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use errors::{ClassifiedError, ErrorType};

    use super::*;

    crate::config! {
        struct Limits {
            requests: u32,
            share: u8 = 20,
        }
    }

    crate::config! {
        struct Config {
            name: String,
            limits: Limits as group,
            empty: String,
            absent: String,
        }
    }

    #[test]
    fn all_errors_are_in_one_message_without_values() {
        let variables = EnvironmentReader::from_pairs([
            ("REQUESTS", "hunter2"),
            ("EMPTY", ""),
            ("SHARE", "-1"),
            ("NAME", "local"),
        ]);

        let error = Config::from_variables(variables).unwrap_err();

        assert_eq!(
            error.to_string(),
            "environment variables missing: EMPTY, ABSENT; invalid: \
             REQUESTS (invalid digit found in string), SHARE (invalid digit found in string)"
        );
        assert_eq!(error.error_type(), ErrorType::ConfigInvalid);
    }

    #[test]
    fn fields_are_read_from_the_variables_of_their_names() {
        let variables = EnvironmentReader::from_pairs([
            ("REQUESTS", "7"),
            ("EMPTY", "no"),
            ("NAME", "local"),
            ("ABSENT", "no"),
        ]);

        let config = Config::from_variables(variables).unwrap();

        assert_eq!(
            (config.limits.requests, config.limits.share, config.name),
            (7, 20, "local".to_owned())
        );
        assert_eq!(
            (config.empty, config.absent),
            ("no".to_owned(), "no".to_owned())
        );
    }
}
