use std::{fmt, sync::Arc};

use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

/// What BILL wants from a partner: the person's name and password, the partner's application key,
/// the developer key.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    /// E-mail address of the partner's BILL account.
    pub username: SecretString,
    /// Its password.
    pub password: SecretString,
    /// Application key: in the body of the partner login, then in the header `appKey` of partner
    /// calls.
    pub app_key: SecretString,
    /// Developer key: in the header `devKey` of organization calls.
    pub dev_key: SecretString,
}

impl Credentials {
    /// Reads a secret's text `{"username","password","appKey","devKey"}`.
    ///
    /// The error names the fields that are missing, empty, or unfit for an HTTP header; it repeats
    /// no part of the text. It is permanent: an operator must store the secret again.
    pub fn from_json(text: &str) -> Result<Self, CredentialError> {
        let Ok(Value::Object(fields)) = serde_json::from_str(text) else {
            return Err(CredentialError::permanent(
                "the credentials are not a JSON object with username, password, appKey and devKey",
            ));
        };
        let mut wrong = Vec::new();
        let mut text_of = |name: &'static str, fits: fn(&str) -> bool| {
            let text = fields.get(name).and_then(Value::as_str).unwrap_or_default();
            if text.is_empty() || !fits(text) {
                wrong.push(name);
            }
            SecretString::from(text)
        };
        let credentials = Self {
            username: text_of("username", |_| true),
            password: text_of("password", |_| true),
            app_key: text_of("appKey", is_valid_header_value),
            dev_key: text_of("devKey", is_valid_header_value),
        };
        if wrong.is_empty() {
            Ok(credentials)
        } else {
            Err(CredentialError::permanent(format!(
                "the credentials lack, or hold an unusable, {}",
                wrong.join(", ")
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

/// Where credentials come from; a function reads them from a secret and keeps them for a few
/// minutes.
pub trait CredentialSource: Send + Sync {
    /// The credentials as known now.
    fn credentials(&self) -> BoxFuture<'_, Result<Arc<Credentials>, CredentialError>>;

    /// Forgets what is cached and reads once more. Asked once after BILL refused the cached
    /// credentials.
    fn refreshed(&self) -> BoxFuture<'_, Result<Arc<Credentials>, CredentialError>>;
}

/// Credentials that never change: for tools and tests.
impl CredentialSource for Credentials {
    fn credentials(&self) -> BoxFuture<'_, Result<Arc<Credentials>, CredentialError>> {
        Box::pin(async { Ok(Arc::new(self.clone())) })
    }

    fn refreshed(&self) -> BoxFuture<'_, Result<Arc<Credentials>, CredentialError>> {
        self.credentials()
    }
}

/// The credentials could not be read. Its text reaches logs, so whoever makes one keeps secrets out
/// of it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}")]
pub struct CredentialError {
    reason: Arc<str>,
    is_retryable: bool,
}

impl CredentialError {
    /// Stays so until somebody acts: the secret is missing, empty or of the wrong shape.
    pub fn permanent(reason: impl Into<Arc<str>>) -> Self {
        Self {
            reason: reason.into(),
            is_retryable: false,
        }
    }

    /// May pass: the store of secrets was throttled or out of reach.
    pub fn transient(reason: impl Into<Arc<str>>) -> Self {
        Self {
            reason: reason.into(),
            is_retryable: true,
        }
    }

    /// Whether reading again later may succeed without anyone's help.
    pub fn is_retryable(&self) -> bool {
        self.is_retryable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = r#"{"username":"ann@partner.example","password":"hunter2","appKey":"app-1","devKey":"dev-1"}"#;

    #[test]
    fn credentials_are_parsed_and_debug_is_redacted() {
        let credentials = Credentials::from_json(SECRET).unwrap();
        assert_eq!(credentials.password.expose_secret(), "hunter2");
        assert_eq!(format!("{credentials:?}"), "Credentials([REDACTED])");
        assert!(credentials == serde_json::from_str::<Credentials>(SECRET).unwrap());
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
                r#"{"username":"hunter2","password":"hunter2","appKey":"hunter2\n","devKey":"hunter2"}"#,
                "unusable, appKey",
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
