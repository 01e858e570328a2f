//! Secrets from AWS Secrets Manager, kept for a few minutes and never shown.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_sdk_secretsmanager::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::get_secret_value::GetSecretValueError,
};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tokio::{sync::Mutex, time::Instant};

use crate::errors::{ClassifiedError, ErrorType};

/// So long a value is used without asking again; a rotated secret is noticed at the latest after
/// this.
const CACHE_TTL: Duration = Duration::from_mins(5);
/// So often a refresh really asks again, however many callers want one.
const MIN_REFRESH_INTERVAL: Duration = Duration::from_secs(30);

/// A secret in Secrets Manager, read when first needed. Clones share its value.
///
/// Many callers at once cause one request; all of them get its answer, be it a value or an error.
/// Errors are not kept, and take the place of no value that may still be used.
pub struct Secret<T>(Arc<Shared<T>>);

impl<T> Secret<T> {
    /// A secret that `parse` makes sense of; the error it returns says what is wrong without
    /// quoting the text.
    ///
    /// `purpose` names the secret in errors, such as `BILL credentials`.
    pub fn parsed(
        client: Client,
        arn: String,
        purpose: &'static str,
        parse: impl Fn(&str) -> Result<T, String> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Shared {
            client,
            label: Label {
                arn: arn.into(),
                purpose,
                shape: None,
                command: None,
            },
            parse: Box::new(parse),
            asked: AtomicU64::new(0),
            answer: Mutex::new(None),
        }))
    }

    /// Adds the expected shape to errors, such as `{"username","password","appKey","devKey"}`. To
    /// be called before cloning; afterwards it changes nothing.
    #[must_use]
    pub fn with_shape(mut self, shape: &'static str) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.0) {
            shared.label.shape = Some(shape);
        }
        self
    }

    /// Names the command that stores this secret, for errors, in place of `aws secretsmanager
    /// put-secret-value`. To be called before cloning; afterwards it changes nothing.
    #[must_use]
    pub fn with_store_command(mut self, command: &'static str) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.0) {
            shared.label.command = Some(command);
        }
        self
    }

    /// The value, at most five minutes old.
    ///
    /// `Err`: see [`SecretError::is_retryable`]; what is not retryable stays so until an operator
    /// acts.
    pub async fn get(&self) -> Result<Arc<T>, SecretError> {
        self.0.at_most(CACHE_TTL).await
    }

    /// The value, read again since the kept one was refused; at most every 30 seconds, else the
    /// kept value.
    pub async fn refreshed(&self) -> Result<Arc<T>, SecretError> {
        self.0.at_most(MIN_REFRESH_INTERVAL).await
    }
}

impl<T: DeserializeOwned + 'static> Secret<T> {
    /// A secret whose text is JSON.
    pub fn json(client: Client, arn: String, purpose: &'static str) -> Self {
        Self::parsed(client, arn, purpose, parse_json)
    }
}

impl Secret<SecretString> {
    /// A secret whose text is used as it stands.
    pub fn text(client: Client, arn: String, purpose: &'static str) -> Self {
        Self::parsed(client, arn, purpose, |text| Ok(SecretString::from(text)))
    }
}

impl<T> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Label { arn, purpose, .. } = &self.0.label;
        formatter
            .debug_struct("Secret")
            .field("purpose", purpose)
            .field("arn", arn)
            .finish_non_exhaustive()
    }
}

/// Why a secret has no usable value. Never quotes the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The secret does not exist, or nobody has put a value into it yet.
    #[error("the secret {label} has no value yet; store one with {}", label.remedy())]
    Missing {
        /// Which secret.
        label: Label,
    },
    /// The value is not of the expected shape.
    #[error("the secret {label} is malformed: {problem}; store it again with {}", label.remedy())]
    Malformed {
        /// Which secret.
        label: Label,
        /// The field or place that is wrong.
        problem: String,
    },
    /// The value could not be read.
    #[error("the secret {label} cannot be read: {cause}")]
    Unreadable {
        /// Which secret.
        label: Label,
        /// Secrets Manager's error code, or what happened on the way there.
        cause: String,
        /// Whether reading again later may succeed without anyone's help.
        is_retryable: bool,
    },
}

impl SecretError {
    /// Whether reading again later may succeed without anyone's help.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Unreadable {
                is_retryable: true,
                ..
            }
        )
    }
}

impl ClassifiedError for SecretError {
    fn error_type(&self) -> ErrorType {
        match self {
            Self::Missing { .. } => ErrorType::SecretMissing,
            Self::Malformed { .. } => ErrorType::SecretMalformed,
            Self::Unreadable { .. } => ErrorType::SecretUnreadable,
        }
    }
}

/// Which secret an error is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    arn: Arc<str>,
    purpose: &'static str,
    shape: Option<&'static str>,
    command: Option<&'static str>,
}

impl Label {
    fn remedy(&self) -> String {
        if let Some(command) = self.command {
            return format!("`{command}`");
        }
        let holding = self
            .shape
            .map(|shape| format!(", the file holding {shape}"))
            .unwrap_or_default();
        format!(
            "`aws secretsmanager put-secret-value --secret-id {} --secret-string file://credentials.json`{holding}",
            self.arn
        )
    }
}

impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.arn, self.purpose)
    }
}

struct Shared<T> {
    client: Client,
    label: Label,
    parse: Parse<T>,
    /// How often Secrets Manager has answered: tells whether that happened while a caller waited
    /// for the lock.
    asked: AtomicU64,
    answer: Mutex<Option<Answer<T>>>,
}

type Parse<T> = Box<dyn Fn(&str) -> Result<T, String> + Send + Sync>;

struct Answer<T> {
    at: Instant,
    value: Result<Arc<T>, SecretError>,
}

impl<T> Shared<T> {
    async fn at_most(&self, age: Duration) -> Result<Arc<T>, SecretError> {
        let asked_before = self.asked.load(Ordering::Acquire);
        let mut answer = self.answer.lock().await;
        if let Some(known) = &*answer {
            let was_read_while_waiting = self.asked.load(Ordering::Acquire) != asked_before;
            let is_fresh = known.value.is_ok() && known.at.elapsed() < age;
            if was_read_while_waiting || is_fresh {
                return known.value.clone();
            }
        }
        let value = self.read().await.map(Arc::new);
        let is_usable = |known: &Answer<T>| known.value.is_ok() && known.at.elapsed() < CACHE_TTL;
        if value.is_ok() || !answer.as_ref().is_some_and(is_usable) {
            self.asked.fetch_add(1, Ordering::Release);
            *answer = Some(Answer {
                at: Instant::now(),
                value: value.clone(),
            });
        }
        value
    }

    async fn read(&self) -> Result<T, SecretError> {
        let found = self
            .client
            .get_secret_value()
            .secret_id(&*self.label.arn)
            .send()
            .await;
        let found = found.map_err(|error| self.unreadable(&error))?;
        let text = match (found.secret_string, found.secret_binary) {
            (Some(text), _) => SecretString::from(text),
            (None, Some(_)) => return Err(self.malformed("it is binary, not text".to_owned())),
            (None, None) => SecretString::default(),
        };
        if text.expose_secret().trim().is_empty() {
            return Err(SecretError::Missing {
                label: self.label.clone(),
            });
        }
        (self.parse)(text.expose_secret()).map_err(|problem| self.malformed(problem))
    }

    fn malformed(&self, problem: String) -> SecretError {
        SecretError::Malformed {
            label: self.label.clone(),
            problem,
        }
    }

    fn unreadable(&self, error: &SdkError<GetSecretValueError>) -> SecretError {
        let label = self.label.clone();
        let Some(refusal) = error.as_service_error() else {
            let cause = match error {
                SdkError::TimeoutError(_) => "Secrets Manager did not answer in time",
                SdkError::DispatchFailure(_) => "Secrets Manager cannot be reached",
                SdkError::ConstructionFailure(_) => "the request could not be built",
                _ => "the answer could not be understood",
            };
            let is_retryable = !matches!(error, SdkError::ConstructionFailure(_));
            return SecretError::Unreadable {
                label,
                cause: cause.to_owned(),
                is_retryable,
            };
        };
        // A secret that was created without a value answers this too: it has no version labelled
        // AWSCURRENT.
        if refusal.is_resource_not_found_exception() {
            return SecretError::Missing { label };
        }
        let status = error
            .raw_response()
            .map_or(0, |response| response.status().as_u16());
        let code = refusal.code().unwrap_or("an unnamed error");
        let is_retryable = status == 429
            || status >= 500
            || code.contains("Throttl")
            || refusal.is_internal_service_error();
        let advice = if code.starts_with("AccessDenied") {
            ", the function's role must allow secretsmanager:GetSecretValue"
        } else {
            ""
        };
        SecretError::Unreadable {
            label,
            cause: format!("{code}{advice}"),
            is_retryable,
        }
    }
}

/// Reads JSON. The error names the place or the field, and quotes nothing: serde's own messages
/// repeat wrong values.
fn parse_json<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let value = serde_json::from_str::<serde_json::Value>(text).map_err(|error| {
        format!(
            "it is not JSON (line {}, column {})",
            error.line(),
            error.column()
        )
    })?;
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let message = error.inner().to_string();
        match message.strip_prefix("missing field ") {
            Some(field) => format!("the field {field} is missing"),
            None if path == "." => "it is not a JSON object of the expected shape".to_owned(),
            None => format!("the field `{path}` is not of the expected type"),
        }
    })
}

#[cfg(test)]
mod tests;
