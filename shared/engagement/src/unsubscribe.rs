//! Unsubscribe tokens: the signed part of the unsubscribe link in an e-mail. A token identifies the
//! recipient and the category without containing the e-mail address.
//!
//! Format: `{key id}.{address hash}.{category}.{MAC}`, where hash and MAC are base64url. Without
//! the key nobody can make a valid token. Tokens do not expire: old keys stay in the secret when it
//! is rotated.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::Sha256;

use crate::{address_hash::AddressHash, campaign::Category};

/// Shortest key, in bytes.
const MIN_KEY_LENGTH: usize = 32;

/// What a token identifies: the subscription of an address to a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailSubscription {
    /// Pseudonym of the address.
    pub address_hash: AddressHash,
    /// The category.
    pub category: Category,
}

/// The keys that tokens are signed and verified with.
///
/// As JSON `{"current":"k1","k1":"..."}`. To rotate, add `k2` and make it the current key. Keep
/// `k1`, so that the links of e-mails already sent remain valid.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>")]
pub struct UnsubscribeKeys {
    current: String,
    keys: BTreeMap<String, SecretString>,
}

/// The keys cannot be used. The error quotes none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUnsubscribeKeys {
    /// `current` is missing, or there is no key with that id.
    #[error("`current` does not name a key")]
    NoCurrentKey,
    /// A key id that cannot be part of a token.
    #[error("a key has a name that is not made of letters and digits")]
    InvalidKeyId,
    /// A key that is too short to be safe.
    #[error("a key has fewer than 32 characters")]
    ShortKey,
}

impl TryFrom<BTreeMap<String, String>> for UnsubscribeKeys {
    type Error = InvalidUnsubscribeKeys;

    fn try_from(mut entries: BTreeMap<String, String>) -> Result<Self, Self::Error> {
        let current = entries
            .remove("current")
            .ok_or(InvalidUnsubscribeKeys::NoCurrentKey)?;
        if entries
            .keys()
            .any(|id| id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        {
            return Err(InvalidUnsubscribeKeys::InvalidKeyId);
        }
        if entries.values().any(|key| key.len() < MIN_KEY_LENGTH) {
            return Err(InvalidUnsubscribeKeys::ShortKey);
        }
        if !entries.contains_key(&current) {
            return Err(InvalidUnsubscribeKeys::NoCurrentKey);
        }

        let keys = entries
            .into_iter()
            .map(|(id, key)| (id, key.into()))
            .collect();
        Ok(Self { current, keys })
    }
}

impl UnsubscribeKeys {
    /// The token of a subscription, signed with the current key. Consists of ASCII letters and
    /// digits, `.`, `-` and `_`.
    pub fn sign(&self, subscription: &EmailSubscription) -> String {
        let EmailSubscription {
            address_hash,
            category,
        } = subscription;
        let hash = URL_SAFE_NO_PAD.encode(address_hash.to_bytes());
        let claims = format!("{}.{hash}.{category}", self.current);
        let mac = self.mac(&self.current, &claims).finalize().into_bytes();
        format!("{claims}.{}", URL_SAFE_NO_PAD.encode(mac))
    }

    /// The subscription that a token identifies. `None`: the token was not signed with one of these
    /// keys. The steps are the same for all invalid tokens, so that the time taken does not reveal
    /// what is wrong.
    pub fn verify(&self, token: &str) -> Option<EmailSubscription> {
        let (claims, mac) = token.rsplit_once('.').unwrap_or((token, ""));
        let mut parts = claims.split('.');
        let (key_id, hash, category) = (parts.next(), parts.next(), parts.next());

        let mac = URL_SAFE_NO_PAD.decode(mac).unwrap_or_default();
        let is_signed = self
            .mac(key_id.unwrap_or_default(), claims)
            .verify_slice(&mac)
            .is_ok();
        let hash = URL_SAFE_NO_PAD
            .decode(hash.unwrap_or_default())
            .ok()
            .and_then(|bytes| AddressHash::from_bytes(&bytes));
        let category = category.and_then(|category| category.parse().ok());
        let is_known_key = key_id.is_some_and(|key_id| self.keys.contains_key(key_id));
        let is_complete = parts.next().is_none();

        (is_signed && is_known_key && is_complete).then_some(EmailSubscription {
            address_hash: hash?,
            category: category?,
        })
    }

    /// The MAC of the claims. For an unknown key id the current key is used, so that it takes the
    /// same time; `verify` rejects the token all the same.
    #[expect(
        clippy::expect_used,
        reason = "HMAC takes a key of any length (RFC 2104, section 2)"
    )]
    fn mac(&self, key_id: &str, claims: &str) -> Hmac<Sha256> {
        const NO_KEY: &[u8] = b"";
        let key = self
            .keys
            .get(key_id)
            .or_else(|| self.keys.get(&self.current))
            .map_or(NO_KEY, |key| key.expose_secret().as_bytes());
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key length");
        mac.update(b"unsubscribe.1.");
        mac.update(claims.as_bytes());
        mac
    }
}
