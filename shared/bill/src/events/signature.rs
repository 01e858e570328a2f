//! The signature of a webhook, and the keys that verify it.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use sha2::Sha256;

/// The request header that contains the signature of a notification.
pub const SIGNATURE_HEADER: &str = "x-bill-sha-signature";

/// The keys that can have signed a notification: that of the current subscription and, during a key
/// rotation, that of the subscription before it.
///
/// Deserialized from the text of a secret, `{"current":"...","previous":"..."}`. An empty
/// `previous` means none. An empty `current` is an error, because anyone can sign with an empty
/// key. Other fields are ignored.
#[derive(Debug, Clone, Deserialize)]
pub struct SecurityKeys {
    /// Key of the current subscription.
    pub current: SecurityKey,
    /// Key of the subscription that the current one replaced, while it may still send.
    #[serde(default, deserialize_with = "optional_key")]
    pub previous: Option<SecurityKey>,
}

impl SecurityKeys {
    /// Whether one of the keys signed `body`. `body` must be the bytes as received. The comparison
    /// takes constant time.
    pub fn verify(&self, body: &[u8], signature: &str) -> bool {
        let Ok(signature) = BASE64_STANDARD.decode(signature.trim()) else {
            return false;
        };

        [Some(&self.current), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .any(|key| key.mac(body).verify_slice(&signature).is_ok())
    }
}

/// The `securityKey` of a subscription. Never empty; `Debug` hides it.
#[derive(Clone)]
pub struct SecurityKey(SecretString);

impl SecurityKey {
    /// `None` for a blank text.
    pub fn new(text: impl Into<SecretString>) -> Option<Self> {
        let text = text.into();
        (!text.expose_secret().trim().is_empty()).then_some(Self(text))
    }

    /// The signature of a body as BILL creates it: base64 of the HMAC-SHA256. For senders, which
    /// are tests and the sandbox.
    pub fn sign(&self, body: &[u8]) -> String {
        BASE64_STANDARD.encode(self.mac(body).finalize().into_bytes())
    }

    /// The text of the key, to be stored as a secret.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Uses the characters of the key without decoding them. BILL does not document an encoding,
    /// and published receivers do the same.
    fn mac(&self, body: &[u8]) -> Hmac<Sha256> {
        #[expect(
            clippy::expect_used,
            reason = "HMAC accepts keys of any length (RFC 2104, section 2)"
        )]
        let keyed =
            Hmac::<Sha256>::new_from_slice(self.expose().as_bytes()).expect("any key length");
        keyed.chain_update(body)
    }
}

impl fmt::Debug for SecurityKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecurityKey([REDACTED])")
    }
}

impl PartialEq for SecurityKey {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl<'de> Deserialize<'de> for SecurityKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        optional_key(deserializer)?.ok_or_else(|| serde::de::Error::custom("the key is empty"))
    }
}

fn optional_key<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SecurityKey>, D::Error> {
    Ok(Option::<SecretString>::deserialize(deserializer)?.and_then(SecurityKey::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    // The test vector of the OpenAPI document: `x-test-vector` of the signature header.
    const KEY: &str = "fake-security-key-3b1f";
    const BODY: &str = concat!(
        r#"{"metadata":{"eventId":"5b0c7d0e-2f6f-4f0e-9a1c-6f1f0a4a9d21","#,
        r#""subscriptionId":"c1f0a5c2-7a6e-4b7e-8f55-0d2b9d1f6a10","#,
        r#""organizationId":"00802KESTRELBAKEm7q2","#,
        r#""eventType":"risk-verification.updated","version":"1"},"#,
        r#""risk-verification":{"decision":"APPROVE"}}"#
    );
    const SIGNATURE: &str = "V2QgAP5VbvY4IY+m2+S39RZ28+/9LfiJDuMuvl2d+PE=";

    fn keys(json: &str) -> Result<SecurityKeys, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn signature_matches_the_test_vector() {
        let keys = keys(&format!(r#"{{"current":"{KEY}"}}"#)).unwrap();
        assert_eq!(keys.current.sign(BODY.as_bytes()), SIGNATURE);
        assert!(keys.verify(BODY.as_bytes(), SIGNATURE));
        assert!(keys.verify(BODY.as_bytes(), &format!(" {SIGNATURE}\r\n")));
    }

    #[test]
    fn changed_body_or_signature_fails_verification() {
        let keys = keys(&format!(r#"{{"current":"{KEY}","previous":"another"}}"#)).unwrap();
        for body in [
            &BODY[1..],
            &format!("{BODY} "),
            &BODY.replace("APPROVE", "DECLINE"),
            "",
        ] {
            assert!(!keys.verify(body.as_bytes(), SIGNATURE), "{body}");
        }
        let lower = SIGNATURE.to_lowercase();
        let truncated = BASE64_STANDARD.encode(&BASE64_STANDARD.decode(SIGNATURE).unwrap()[..31]);
        let hex = "576420 00";
        for signature in [
            "",
            "=",
            &SIGNATURE[1..],
            &lower,
            &truncated,
            hex,
            "\u{1f511}",
        ] {
            assert!(!keys.verify(BODY.as_bytes(), signature), "{signature}");
        }
    }

    #[test]
    fn both_keys_verify_during_rotation_and_one_afterwards() {
        let (old, new) = (
            SecurityKey::new("old").unwrap(),
            SecurityKey::new("new").unwrap(),
        );
        let changing = keys(r#"{"current":"new","previous":"old"}"#).unwrap();
        let changed = keys(r#"{"current":"new","previous":""}"#).unwrap();
        let accepted = |keys: &SecurityKeys, by: &SecurityKey| keys.verify(b"{}", &by.sign(b"{}"));
        assert_eq!(
            [accepted(&changing, &old), accepted(&changing, &new)],
            [true, true]
        );
        assert_eq!(
            [accepted(&changed, &old), accepted(&changed, &new)],
            [false, true]
        );
    }

    #[test]
    fn secret_without_current_key_is_rejected() {
        for json in [
            r#"{"current":""}"#,
            r#"{"current":"  "}"#,
            r#"{"current":null}"#,
            r#"{"previous":"old"}"#,
            "{}",
            r#"{"current":7}"#,
        ] {
            assert!(keys(json).is_err(), "{json}");
        }
        for json in [
            r#"{"current":"k","previous":null}"#,
            r#"{"current":"k","pending":{"a":[1]},"previous":" "}"#,
        ] {
            assert!(keys(json).unwrap().previous.is_none(), "{json}");
        }
    }

    #[test]
    fn debug_redacts_keys() {
        let shown = format!(
            "{:?}",
            keys(r#"{"current":"hunter2","previous":"hunter3"}"#).unwrap()
        );
        assert!(!shown.contains("hunter"), "{shown}");
    }
}
