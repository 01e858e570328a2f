//! The stack's secret with the webhook keys and the state of interrupted commands.

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

/// Reads and replaces the whole secret. Not safe for concurrent operators.
#[derive(Debug, Clone)]
pub struct KeyStore {
    client: Client,
    secret: String,
}

/// The content of the secret. `receive-events` reads `current` and `previous`; the other fields are
/// the state of interrupted commands.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct WebhookSecret {
    /// Key of the current subscription.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "serialize_exposed"
    )]
    pub current: Option<SecretString>,
    /// Key of the previous subscription, for deliveries that are under way.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "serialize_exposed"
    )]
    pub previous: Option<SecretString>,
    /// A subscription that is being created. Stored before BILL is called: BILL returns the key
    /// once, and again for 24 hours to a request with the same idempotency key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    /// Subscriptions that the current one replaces and that are still to be deleted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retiring: Vec<SubscriptionId>,
    /// Unknown fields. They are kept.
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// A subscription that is being created.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Pending {
    /// Idempotency key of the request to BILL.
    pub idempotency_key: Uuid,
    /// URL that receives the notifications.
    pub url: Url,
    /// Subscriptions to delete afterwards.
    #[serde(default)]
    pub replaces: Vec<SubscriptionId>,
}

impl WebhookSecret {
    /// Makes this the current key and keeps the one before it as `previous`.
    pub fn set_current(&mut self, key: &SecurityKey) {
        if self
            .current
            .as_ref()
            .is_none_or(|current| current.expose_secret() != key.expose())
        {
            self.previous = self.current.replace(key.expose().into());
        }
    }
}

impl KeyStore {
    /// Opens the secret with this name or ARN. Sends no request.
    pub fn new(client: Client, secret: String) -> Self {
        Self { client, secret }
    }

    /// Reads the secret. A secret without a value is empty. `Err`: it cannot be read, or is not a
    /// JSON object; the message contains no key.
    pub async fn read(&self) -> Result<WebhookSecret> {
        let text = match self
            .client
            .get_secret_value()
            .secret_id(&self.secret)
            .send()
            .await
        {
            Ok(found) => SecretString::from(found.secret_string.unwrap_or_default()),
            // Secrets Manager returns this for a secret without a value, too. A secret that does
            // not exist fails when it is written.
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
        // serde's message may contain a part of the secret.
        serde_json::from_str(text.expose_secret()).map_err(|error| {
            anyhow!(
                "the secret {} is not a JSON object of keys (line {}, column {})",
                self.secret,
                error.line(),
                error.column()
            )
        })
    }

    /// Replaces the content of the secret.
    pub async fn write(&self, keys: &WebhookSecret) -> Result<()> {
        let text = serde_json::to_string(keys).context("the keys cannot be written as JSON")?;
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

#[expect(
    clippy::ref_option,
    reason = "the signature that `serialize_with` needs"
)]
fn serialize_exposed<S: Serializer>(
    key: &Option<SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    key.as_ref()
        .map(ExposeSecret::expose_secret)
        .serialize(serializer)
}
