//! Secrets of AWS Secrets Manager, cached for five minutes. Their values never reach logs or
//! errors.

mod error;
mod json;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tokio::{sync::Mutex, time::Instant};

pub use error::{SecretError, SecretLabel};

/// The time for which a value is used without reading the secret again. A rotated secret takes
/// effect after this time at the latest.
const CACHE_TTL: Duration = Duration::from_mins(5);

/// The minimum time between two reads that [`Secret::refresh`] causes.
const MIN_REFRESH_INTERVAL: Duration = Duration::from_secs(30);

/// A secret in Secrets Manager, read on first use. Clones share the cached value.
///
/// Concurrent callers cause one request and share its result, whether a value or an error. Errors
/// are not cached. A failed read does not replace a value that is younger than five minutes.
pub struct Secret<T>(Arc<SecretInner<T>>);

impl<T> Secret<T> {
    /// A secret whose text `parse` converts. The error of `parse` says what is wrong with the text
    /// without quoting it.
    ///
    /// `purpose` names the secret in errors, such as `token key`.
    pub fn with_parser(
        aws: &SdkConfig,
        arn: String,
        purpose: &'static str,
        parse: impl Fn(&str) -> Result<T, String> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(SecretInner {
            client: Client::new(aws),
            label: SecretLabel::new(arn, purpose),
            parse: Box::new(parse),
            reads: AtomicU64::new(0),
            cached: Mutex::new(None),
        }))
    }

    /// Adds the expected format to errors, such as `{"username","password"}`. Has no effect on a
    /// secret that was cloned already.
    #[must_use]
    pub fn with_shape(mut self, shape: &'static str) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.label.shape = Some(shape);
        }
        self
    }

    /// Names the command that stores this secret in errors, in place of `aws secretsmanager
    /// put-secret-value`. Has no effect on a secret that was cloned already.
    #[must_use]
    pub fn with_store_command(mut self, command: &'static str) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.label.command = Some(command);
        }
        self
    }

    /// The value, at most five minutes old.
    ///
    /// An `Err` that is not [retryable](SecretError::is_retryable) remains until an operator acts.
    pub async fn get(&self) -> Result<Arc<T>, SecretError> {
        self.0.get_no_older_than(CACHE_TTL).await
    }

    /// The value, at most 30 seconds old. For callers whose cached value was rejected, because the
    /// secret may have been rotated.
    pub async fn refresh(&self) -> Result<Arc<T>, SecretError> {
        self.0.get_no_older_than(MIN_REFRESH_INTERVAL).await
    }
}

impl<T: DeserializeOwned + 'static> Secret<T> {
    /// A secret whose text is JSON.
    pub fn json(aws: &SdkConfig, arn: String, purpose: &'static str) -> Self {
        Self::with_parser(aws, arn, purpose, json::parse)
    }
}

impl Secret<SecretString> {
    /// A secret whose text is used unchanged.
    pub fn text(aws: &SdkConfig, arn: String, purpose: &'static str) -> Self {
        Self::with_parser(aws, arn, purpose, |text| Ok(SecretString::from(text)))
    }
}

impl<T> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SecretLabel { arn, purpose, .. } = &self.0.label;

        formatter
            .debug_struct("Secret")
            .field("purpose", purpose)
            .field("arn", arn)
            .finish_non_exhaustive()
    }
}

struct SecretInner<T> {
    client: Client,
    label: SecretLabel,
    parse: Parse<T>,
    /// Number of results that were cached. It tells a caller whether there was a read while the
    /// caller waited for the lock.
    reads: AtomicU64,
    cached: Mutex<Option<CachedValue<T>>>,
}

type Parse<T> = Box<dyn Fn(&str) -> Result<T, String> + Send + Sync>;

struct CachedValue<T> {
    read_at: Instant,
    value: Result<Arc<T>, SecretError>,
}

impl<T> CachedValue<T> {
    fn is_younger_than(&self, age: Duration) -> bool {
        self.value.is_ok() && self.read_at.elapsed() < age
    }
}

impl<T> SecretInner<T> {
    async fn get_no_older_than(&self, age: Duration) -> Result<Arc<T>, SecretError> {
        let reads_before = self.reads.load(Ordering::Acquire);
        let mut cached = self.cached.lock().await;
        if let Some(known) = &*cached {
            let was_read_while_waiting = self.reads.load(Ordering::Acquire) != reads_before;
            if was_read_while_waiting || known.is_younger_than(age) {
                return known.value.clone();
            }
        }

        let value = self.read().await.map(Arc::new);
        let can_keep_cached = cached
            .as_ref()
            .is_some_and(|known| known.is_younger_than(CACHE_TTL));
        if value.is_ok() || !can_keep_cached {
            self.reads.fetch_add(1, Ordering::Release);
            *cached = Some(CachedValue {
                read_at: Instant::now(),
                value: value.clone(),
            });
        }
        value
    }

    async fn read(&self) -> Result<T, SecretError> {
        let output = self
            .client
            .get_secret_value()
            .secret_id(&*self.label.arn)
            .send()
            .await
            .map_err(|error| SecretError::from_sdk(self.label.clone(), &error))?;

        let text = match (output.secret_string, output.secret_binary) {
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
}

#[cfg(test)]
mod tests;
