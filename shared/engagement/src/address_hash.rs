//! Pseudonyms of e-mail addresses: keyed hashes that only the owner of the key can compute.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::personal::EmailAddress;

/// The HMAC key that addresses are hashed with. Each stack has its own, in Secrets Manager.
#[derive(Debug, Clone)]
pub struct AddressHashKey(SecretString);

impl AddressHashKey {
    /// Takes the key as generated: any non-empty text.
    pub fn new(key: SecretString) -> Self {
        Self(key)
    }

    /// The pseudonym of an address. Spellings that differ only in case have the same pseudonym.
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

/// The pseudonym of an e-mail address: HMAC-SHA256 of the lower-case address as 64 hexadecimal
/// digits. Key of the `contacts` table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AddressHash(String);

impl AddressHash {
    /// The hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 32 bytes of the hash.
    pub fn to_bytes(&self) -> Vec<u8> {
        hex::decode(&self.0).unwrap_or_default()
    }

    /// The hash with these bytes. `None` unless there are 32.
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
    use super::*;

    #[test]
    fn address_hash_ignores_case_and_depends_on_the_key() {
        let key = AddressHashKey::new("first".to_owned().into());
        let other = AddressHashKey::new("second".to_owned().into());
        let lower: EmailAddress = "marisol@kestrel.example".parse().unwrap();
        let mixed: EmailAddress = "Marisol@Kestrel.example".parse().unwrap();

        assert_eq!(key.hash(&lower), key.hash(&mixed));
        assert_ne!(key.hash(&lower), other.hash(&lower));
        assert_eq!(key.hash(&lower).as_str().len(), 64);
    }

    #[test]
    fn debug_of_the_key_is_masked() {
        let key = AddressHashKey::new("first-key".to_owned().into());

        assert!(!format!("{key:?}").contains("first-key"));
    }
}
