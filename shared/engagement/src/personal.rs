//! Personal data: types whose `Debug` and `Display` are masked. `expose()` is for the one place
//! that needs the text.
//!
//! They serialize in clear, because tables and mails need the text: never hand them to a log or an
//! error.

use std::{fmt, str::FromStr};

use email_address::{EmailAddress as ParsedAddress, Options};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// An e-mail address that a message can be sent to (RFC 5321 syntax, at most 254 characters, no
/// display name).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// The text is no e-mail address. Says nothing about the text itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct InvalidEmailAddress;

impl EmailAddress {
    /// The address in clear.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The form in which addresses are compared and hashed: lower case throughout.
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

/// The name of a person or an organization, as the customer typed it: any text at all.
#[derive(Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// Keeps the name as it is. Whoever renders it escapes and shortens it.
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

/// The key under which addresses are hashed. Owned by the stack, read from Secrets Manager.
#[derive(Debug, Clone)]
pub struct AddressHashKey(SecretString);

impl AddressHashKey {
    /// Takes the key as generated: any non-empty text.
    pub fn new(key: SecretString) -> Self {
        Self(key)
    }

    /// The pseudonym of an address: the same for every spelling that differs in case alone.
    #[expect(clippy::missing_panics_doc, reason = "HMAC takes a key of any length")]
    pub fn hash(&self, address: &EmailAddress) -> AddressHash {
        #[expect(
            clippy::expect_used,
            reason = "HMAC takes a key of any length (RFC 2104, section 2)"
        )]
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret().as_bytes())
            .expect("any key length");
        mac.update(address.canonical().as_bytes());
        AddressHash(hex::encode(mac.finalize().into_bytes()))
    }
}

/// HMAC-SHA256 of a lower-cased address, 64 hexadecimal digits: the key of the contacts table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AddressHash(String);

impl AddressHash {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 32 bytes that the digits stand for.
    pub fn to_bytes(&self) -> Vec<u8> {
        hex::decode(&self.0).unwrap_or_default()
    }

    /// The hash of those bytes; `None` unless there are 32.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == 32).then(|| Self(hex::encode(bytes)))
    }
}

impl fmt::Display for AddressHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

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
    fn an_address_hash_ignores_case_and_depends_on_the_key() {
        let key = AddressHashKey::new("first".to_owned().into());
        let other = AddressHashKey::new("second".to_owned().into());
        let lower: EmailAddress = "marisol@kestrel.example".parse().unwrap();
        let mixed: EmailAddress = "Marisol@Kestrel.example".parse().unwrap();
        assert_eq!(key.hash(&lower), key.hash(&mixed));
        assert_ne!(key.hash(&lower), other.hash(&lower));
        assert_eq!(key.hash(&lower).as_str().len(), 64);
    }

    #[test]
    fn personal_data_is_masked_in_debug_and_display() {
        let address: EmailAddress = "marisol@kestrel.example".parse().unwrap();
        let shown = format!(
            "{address:?} {address} {:?} {}",
            Name::new("Marisol"),
            Name::new("Marisol")
        );
        assert!(!shown.to_lowercase().contains("marisol"), "{shown}");
        assert!(
            !format!("{:?}", AddressHashKey::new("first-key".to_owned().into()))
                .contains("first-key")
        );
    }
}
