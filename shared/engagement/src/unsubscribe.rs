//! Unsubscribe tokens: what the link at the end of a mail says, and that we said it.
//!
//! `{key id}.{address hash}.{category}.{mac}`, the two middle values being base64url: no address in
//! clear, and nobody makes one without the key. A token never expires; old keys stay in the secret
//! when a new one becomes the current one.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::Sha256;

use crate::{campaign::Category, personal::AddressHash};

/// What a token speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Whose.
    pub address_hash: AddressHash,
    /// To what.
    pub category: Category,
}

/// The keys that tokens are made and checked with. As JSON `{"current":"k1","k1":"..."}`: to
/// rotate, add `k2`, make it the current one, and keep `k1`.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>")]
pub struct UnsubscribeKeys {
    current: String,
    keys: BTreeMap<String, SecretString>,
}

/// The keys cannot be used. Quotes none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUnsubscribeKeys {
    /// No key is the current one.
    #[error("`current` does not name a key")]
    NoCurrentKey,
    /// A key id that cannot be part of a link.
    #[error("a key has a name that is not made of letters and digits")]
    InvalidKeyId,
    /// A key that can be guessed.
    #[error("a key has fewer than 32 characters")]
    ShortKey,
}

impl TryFrom<BTreeMap<String, String>> for UnsubscribeKeys {
    type Error = InvalidUnsubscribeKeys;

    fn try_from(mut texts: BTreeMap<String, String>) -> Result<Self, Self::Error> {
        const MIN_KEY_LENGTH: usize = 32;
        let current = texts
            .remove("current")
            .ok_or(InvalidUnsubscribeKeys::NoCurrentKey)?;
        if texts
            .keys()
            .any(|id| id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        {
            return Err(InvalidUnsubscribeKeys::InvalidKeyId);
        }
        if texts.values().any(|key| key.len() < MIN_KEY_LENGTH) {
            return Err(InvalidUnsubscribeKeys::ShortKey);
        }
        if !texts.contains_key(&current) {
            return Err(InvalidUnsubscribeKeys::NoCurrentKey);
        }
        Ok(Self {
            current,
            keys: texts
                .into_iter()
                .map(|(id, key)| (id, key.into()))
                .collect(),
        })
    }
}

impl UnsubscribeKeys {
    /// The token of a subscription: letters, digits, `.`, `-` and `_`.
    pub fn token(&self, subscription: &Subscription) -> String {
        let Subscription {
            address_hash,
            category,
        } = subscription;
        let claims = format!(
            "{}.{}.{category}",
            self.current,
            URL_SAFE_NO_PAD.encode(address_hash.to_bytes())
        );
        let signature =
            URL_SAFE_NO_PAD.encode(self.mac(&self.current, &claims).finalize().into_bytes());
        format!("{claims}.{signature}")
    }

    /// What a token speaks of; `None` when we did not make it. Takes the same steps for whatever is
    /// wrong with it.
    pub fn verify(&self, token: &str) -> Option<Subscription> {
        let (claims, signature) = token.rsplit_once('.').unwrap_or((token, ""));
        let mut parts = claims.split('.');
        let (key, hash, category) = (parts.next(), parts.next(), parts.next());
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        let is_ours = self
            .mac(key.unwrap_or_default(), claims)
            .verify_slice(&signature)
            .is_ok();
        let hash = URL_SAFE_NO_PAD
            .decode(hash.unwrap_or_default())
            .ok()
            .and_then(|bytes| AddressHash::from_bytes(&bytes));
        let category = category.and_then(|category| category.parse().ok());
        let is_known = key.is_some_and(|key| self.keys.contains_key(key)) && parts.next().is_none();
        (is_ours && is_known).then_some(Subscription {
            address_hash: hash?,
            category: category?,
        })
    }

    /// An unknown key is answered with the current one, so that it takes as long; it does not
    /// count.
    #[expect(
        clippy::expect_used,
        reason = "HMAC takes a key of any length (RFC 2104, section 2)"
    )]
    fn mac(&self, key: &str, claims: &str) -> Hmac<Sha256> {
        const NO_KEY: &[u8] = b"";
        let key = self
            .keys
            .get(key)
            .or_else(|| self.keys.get(&self.current))
            .map_or(NO_KEY, |key| key.expose_secret().as_bytes());
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key length");
        mac.update(b"unsubscribe.1.");
        mac.update(claims.as_bytes());
        mac
    }
}
