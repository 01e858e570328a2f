//! The stack's secret of webhook keys: the keys that verify deliveries, and the state of an
//! interrupted command.

use anyhow::{Context, Result, anyhow, bail};
use aws_sdk_secretsmanager::{
    Client, error::DisplayErrorContext, operation::get_secret_value::GetSecretValueError,
};
use bill::events::{SecurityKey, SubscriptionId};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use url::Url;
use uuid::Uuid;

/// Reads and writes the secret as a whole. It does not detect concurrent writes, so only one
/// operator should run commands at a time.
#[derive(Debug, Clone)]
pub struct KeyStore {
    client: Client,
    secret: String,
}

impl KeyStore {
    /// `secret` is the name or ARN of the secret.
    pub fn new(client: Client, secret: String) -> Self {
        Self { client, secret }
    }

    /// The content of the secret; the default if it has no value yet. `Err`: Secrets Manager
    /// refused the call, or the value is not the expected JSON. The message never quotes the value.
    pub(crate) async fn read(&self) -> Result<WebhookSecret> {
        let text = match self
            .client
            .get_secret_value()
            .secret_id(&self.secret)
            .send()
            .await
        {
            Ok(response) => SecretString::from(response.secret_string.unwrap_or_default()),
            // Secrets Manager returns the same error for a missing secret and for one without a
            // value. If the secret is missing, the write that follows fails.
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetSecretValueError::is_resource_not_found_exception) =>
            {
                return Ok(WebhookSecret::default());
            }
            Err(error) => bail!(
                "cannot read the secret {}: {}",
                self.secret,
                DisplayErrorContext(&error)
            ),
        };
        if text.expose_secret().trim().is_empty() {
            return Ok(WebhookSecret::default());
        }

        // The message of serde's error may quote the value.
        serde_json::from_str(text.expose_secret()).map_err(|error| {
            anyhow!(
                "the secret {} is not a JSON object of webhook keys (line {}, column {})",
                self.secret,
                error.line(),
                error.column()
            )
        })
    }

    /// Replaces the content of the secret. `Err`: the old content is still there, or it is unknown
    /// whether it was replaced.
    pub(crate) async fn write(&self, content: &WebhookSecret) -> Result<()> {
        let text = serde_json::to_string(content)
            .context("the webhook keys cannot be serialized as JSON")?;

        match self
            .client
            .put_secret_value()
            .secret_id(&self.secret)
            .secret_string(text)
            .send()
            .await
        {
            Ok(_) => Ok(()),
            Err(error) => bail!(
                "cannot write the secret {}: {}",
                self.secret,
                DisplayErrorContext(&error)
            ),
        }
    }
}

/// The content of the secret. The function receive-events reads `current` and `previous`. The other
/// fields hold the state of a command that was interrupted.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct WebhookSecret {
    /// The key of the stack's subscription.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "serialize_exposed"
    )]
    pub(crate) current: Option<SecretString>,
    /// The key of the subscription before it, which may still have deliveries under way.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "serialize_exposed"
    )]
    pub(crate) previous: Option<SecretString>,
    /// The subscription that is being created. Stored before the request to BILL, because BILL
    /// returns the key only once, and for 24 hours to a request with the same idempotency key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pending: Option<PendingSubscription>,
    /// Replaced subscriptions that are still to be deleted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) retiring: Vec<SubscriptionId>,
    /// Fields that others store in the secret. They are kept.
    #[serde(flatten)]
    unknown_fields: Map<String, Value>,
}

impl WebhookSecret {
    /// Makes `key` the current key and the current key the previous one. Changes nothing if `key`
    /// is the current key already.
    pub(crate) fn set_current(&mut self, key: &SecurityKey) {
        if self
            .current
            .as_ref()
            .is_none_or(|current| current.expose_secret() != key.expose())
        {
            self.previous = self.current.replace(key.expose().into());
        }
    }
}

/// A subscription that is being created.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct PendingSubscription {
    /// The idempotency key of the request to BILL.
    pub(crate) idempotency_key: Uuid,
    /// Its notification URL.
    pub(crate) url: Url,
    /// Subscriptions to delete afterwards.
    #[serde(default)]
    pub(crate) replaces: Vec<SubscriptionId>,
}

#[expect(clippy::ref_option, reason = "serde requires this signature")]
fn serialize_exposed<S: Serializer>(
    key: &Option<SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    key.as_ref()
        .map(ExposeSecret::expose_secret)
        .serialize(serializer)
}
