//! Types for personal data. Their `Debug` and `Display` are masked; `expose()` returns the text.
//!
//! They serialize in clear, because tables and e-mails need the text: do not pass their serialized
//! form to a log or an error.

use std::{fmt, str::FromStr};

use email_address::{EmailAddress as ParsedAddress, Options};
use serde::{Deserialize, Serialize};

/// An e-mail address that an e-mail can be sent to: RFC 5321 syntax, at most 254 characters, no
/// display name, no IP address as domain.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// The text is not an e-mail address. The error does not quote the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct InvalidEmailAddress;

impl EmailAddress {
    /// The address in clear.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The form in which addresses are compared and hashed: all lower case.
    pub fn canonical(&self) -> String {
        self.0.to_lowercase()
    }
}

impl FromStr for EmailAddress {
    type Err = InvalidEmailAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const MAX_LENGTH: usize = 254; // RFC 5321, section 4.5.3.1.3, less the angle brackets
        let options = Options::default()
            .with_required_tld()
            .without_display_text()
            .without_domain_literal();
        let text = text.trim();

        if text.len() > MAX_LENGTH || text.chars().any(char::is_control) {
            return Err(InvalidEmailAddress);
        }
        ParsedAddress::parse_with_options(text, options).map_err(|_| InvalidEmailAddress)?;
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = InvalidEmailAddress;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

/// The name of a person or an organization as the customer entered it. May contain any text.
#[derive(Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// Takes the name without validation. Whoever renders it must escape and shorten it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The name in clear.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

macro_rules! masked {
    ($($name:ident)+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(concat!(stringify!($name), "(masked)"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("(masked)")
            }
        }
    )+};
}

masked! { EmailAddress Name }

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("marisol@kestrelbakehouse.example", true)]
    #[case("  marisol@kestrelbakehouse.example ", true)]
    #[case("o'hara+bills@kestrel.example", true)]
    #[case("marisol", false)]
    #[case("", false)]
    #[case("a@b.example\r\nBcc: x@y.example", false)]
    #[case("Marisol <marisol@kestrel.example>", false)]
    #[case("a@[127.0.0.1]", false)]
    #[case(&format!("{}@kestrel.example", "a".repeat(260)), false)]
    fn only_plain_addresses_are_accepted(#[case] text: &str, #[case] accepted: bool) {
        assert_eq!(text.parse::<EmailAddress>().is_ok(), accepted);
    }

    #[test]
    fn personal_data_is_masked_in_debug_and_display() {
        let address: EmailAddress = "marisol@kestrel.example".parse().unwrap();
        let name = Name::new("Marisol");

        let shown = format!("{address:?} {address} {name:?} {name}");

        assert!(!shown.to_lowercase().contains("marisol"), "{shown}");
    }
}
