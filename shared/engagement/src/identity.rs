//! The ids that BILL assigns to organizations and users. They do not identify a person to outsiders
//! and may appear in logs.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Longest accepted id. BILL's ids have 20 characters (its documentation also says 21).
const MAX_LENGTH: usize = 64;

/// The text cannot be an id of BILL. A retry does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// The id is missing or empty.
    #[error("identifier is empty")]
    Empty,
    /// The id is longer than any id that BILL assigns.
    #[error("identifier is longer than {MAX_LENGTH} characters")]
    TooLong,
    /// The id contains something other than ASCII letters, digits, `-` and `_`.
    #[error("identifier has characters other than letters, digits, '-' and '_'")]
    BadCharacter,
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as BILL writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdentifierError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                parse(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdentifierError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                parse(&text).map(Self)
            }
        }

        impl From<$name> for String {
            fn from(identifier: $name) -> Self {
                identifier.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

identifier! {
    /// The id of a BILL organization (begins with `008`).
    OrganizationId
}

identifier! {
    /// The id of a BILL user (begins with `006`).
    UserId
}

fn parse(text: &str) -> Result<String, IdentifierError> {
    if text.is_empty() {
        Err(IdentifierError::Empty)
    } else if text.len() > MAX_LENGTH {
        Err(IdentifierError::TooLong)
    } else if text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    {
        Ok(text.to_owned())
    } else {
        Err(IdentifierError::BadCharacter)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("00802KESTRELBAKEm7q2", Ok(()))]
    #[case("", Err(IdentifierError::Empty))]
    #[case("008 02", Err(IdentifierError::BadCharacter))]
    #[case("008/../x", Err(IdentifierError::BadCharacter))]
    #[case("008#1", Err(IdentifierError::BadCharacter))]
    #[case(&"0".repeat(65), Err(IdentifierError::TooLong))]
    fn identifier_parses_or_fails_with_the_reason(
        #[case] text: &str,
        #[case] expected: Result<(), IdentifierError>,
    ) {
        assert_eq!(text.parse::<OrganizationId>().map(|_| ()), expected);
    }
}
