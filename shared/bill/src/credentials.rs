//! The partner's credentials, and the interface of the source that they are read from.

use std::{fmt, sync::Arc};

use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// The credentials of a partner.
#[derive(Clone)]
pub struct Credentials {
    /// E-mail address of the partner's BILL account.
    pub username: SecretString,
    /// Password of that account.
    pub password: SecretString,
    /// Application key, sent in the body of `partnerLogin` and in the header `appKey` of partner
    /// calls.
    pub app_key: SecretString,
    /// Developer key, sent in the header `devKey` of organization calls.
    pub dev_key: SecretString,
}

impl Credentials {
    /// Parses the text of a secret: `{"username","password","appKey","devKey"}`.
    ///
    /// The error names the fields that are missing, empty, or invalid as an HTTP header. It
    /// contains no part of the text. It is permanent: an operator must store the secret again.
    pub fn from_json(text: &str) -> Result<Self, CredentialError> {
        let Ok(Value::Object(fields)) = serde_json::from_str(text) else {
            return Err(CredentialError::permanent(
                "the credentials are not a JSON object with username, password, appKey and devKey",
            ));
        };

        let mut invalid_fields = Vec::new();
        let mut read_field = |name: &'static str, is_valid: fn(&str) -> bool| {
            let text = fields.get(name).and_then(Value::as_str).unwrap_or_default();
            if text.is_empty() || !is_valid(text) {
                invalid_fields.push(name);
            }
            SecretString::from(text)
        };
        let credentials = Self {
            username: read_field("username", |_| true),
            password: read_field("password", |_| true),
            app_key: read_field("appKey", is_valid_header_value),
            dev_key: read_field("devKey", is_valid_header_value),
        };

        if invalid_fields.is_empty() {
            Ok(credentials)
        } else {
            Err(CredentialError::permanent(format!(
                "these fields of the credentials are missing or invalid: {}",
                invalid_fields.join(", ")
            )))
        }
    }
}

fn is_valid_header_value(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl PartialEq for Credentials {
    fn eq(&self, other: &Self) -> bool {
        let same =
            |one: &SecretString, two: &SecretString| one.expose_secret() == two.expose_secret();
        same(&self.username, &other.username)
            && same(&self.password, &other.password)
            && same(&self.app_key, &other.app_key)
            && same(&self.dev_key, &other.dev_key)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credentials([REDACTED])")
    }
}

/// Supplies credentials. The implementation of the functions reads them from a secret and caches
/// them for a few minutes.
pub trait CredentialSource: Send + Sync {
    /// The credentials, from the cache if there is one.
    fn credentials(&self) -> BoxFuture<'_, Result<Arc<Credentials>, CredentialError>>;

    /// Clears the cache and reads the credentials again. Called once after BILL rejected the cached
    /// credentials.
    fn refresh(&self) -> BoxFuture<'_, Result<Arc<Credentials>, CredentialError>>;
}

/// A source of credentials that never change, for tools and tests.
impl CredentialSource for Credentials {
    fn credentials(&self) -> BoxFuture<'_, Result<Arc<Credentials>, CredentialError>> {
        Box::pin(async { Ok(Arc::new(self.clone())) })
    }

    fn refresh(&self) -> BoxFuture<'_, Result<Arc<Credentials>, CredentialError>> {
        self.credentials()
    }
}

/// The credentials could not be read. The text is logged, so a source must not put secrets into it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}")]
pub struct CredentialError {
    reason: Arc<str>,
    is_retryable: bool,
}

impl CredentialError {
    /// An operator must act: the secret is missing, empty or invalid.
    pub fn permanent(reason: impl Into<Arc<str>>) -> Self {
        Self {
            reason: reason.into(),
            is_retryable: false,
        }
    }

    /// A retry may succeed: the secret store throttled the request or was unavailable.
    pub fn transient(reason: impl Into<Arc<str>>) -> Self {
        Self {
            reason: reason.into(),
            is_retryable: true,
        }
    }

    /// Whether a later attempt may succeed without anyone's intervention.
    pub fn is_retryable(&self) -> bool {
        self.is_retryable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = r#"
        {"username":"ann@partner.example","password":"hunter2","appKey":"app-1","devKey":"dev-1"}
    "#;

    #[test]
    fn credentials_are_parsed_and_debug_is_redacted() {
        let credentials = Credentials::from_json(SECRET).unwrap();

        assert_eq!(credentials.username.expose_secret(), "ann@partner.example");
        assert_eq!(credentials.password.expose_secret(), "hunter2");
        assert_eq!(credentials.app_key.expose_secret(), "app-1");
        assert_eq!(credentials.dev_key.expose_secret(), "dev-1");
        assert_eq!(format!("{credentials:?}"), "Credentials([REDACTED])");
    }

    #[test]
    fn parse_error_names_invalid_fields_but_no_values() {
        let cases = [
            ("", "not a JSON object"),
            ("hunter2", "not a JSON object"),
            (r#"["hunter2"]"#, "not a JSON object"),
            (r#"{"username":"hunter2"}"#, "password, appKey, devKey"),
            (
                r#"{"username":"hunter2","password":7,"appKey":null,"devKey":""}"#,
                "password, appKey, devKey",
            ),
            (
                concat!(
                    r#"{"username":"hunter2","password":"hunter2","#,
                    r#""appKey":"hunter2\n","devKey":"hunter2"}"#
                ),
                "missing or invalid: appKey",
            ),
        ];
        for (text, reason) in cases {
            let error = Credentials::from_json(text).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
            assert!(
                !format!("{error} {error:?}").contains("hunter2"),
                "{error:?}"
            );
            assert!(!error.is_retryable());
        }
    }
}
