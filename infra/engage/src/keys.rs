//! The stack's secret of webhook keys, as an operator's command sees it: the keys, and what a
//! command has begun.

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

/// Reads and replaces the secret's whole text. Meant for one operator at a time.
#[derive(Debug, Clone)]
pub struct KeyStore {
    client: Client,
    secret: String,
}

/// What the secret holds. `receive-events` reads `current` and `previous`; the rest is between one
/// command and the next.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct WebhookSecret {
    /// Signs what the present subscription sends.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "serialize_exposed"
    )]
    pub current: Option<SecretString>,
    /// Signs what the subscription before it may still send.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "serialize_exposed"
    )]
    pub previous: Option<SecretString>,
    /// A subscription that is being made. Stored before BILL is asked: BILL shows the key once, and
    /// again for 24 hours to whoever asks with the same idempotency key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    /// Subscriptions that the present one replaces, and that are still to be ended.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retiring: Vec<SubscriptionId>,
    /// What somebody else keeps there.
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// A subscription that is being made.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Pending {
    /// Under which BILL is asked.
    pub idempotency_key: Uuid,
    /// Where notifications are to go.
    pub url: Url,
    /// Subscriptions to be ended afterwards.
    #[serde(default)]
    pub replaces: Vec<SubscriptionId>,
}

impl WebhookSecret {
    /// Makes this the current key; the one before it stays valid.
    pub fn take(&mut self, key: &SecurityKey) {
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
    /// The secret of this name or ARN.
    pub fn new(client: Client, secret: String) -> Self {
        Self { client, secret }
    }

    /// What the secret holds; nothing, as long as nobody has put anything into it.
    pub async fn read(&self) -> Result<WebhookSecret> {
        let text = match self
            .client
            .get_secret_value()
            .secret_id(&self.secret)
            .send()
            .await
        {
            Ok(found) => SecretString::from(found.secret_string.unwrap_or_default()),
            // A secret without a value answers so, too; that there is none at all shows when it is
            // written.
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
        // serde's own message may repeat what it could not read.
        serde_json::from_str(text.expose_secret()).map_err(|error| {
            anyhow!(
                "the secret {} is no JSON object of keys (line {}, column {})",
                self.secret,
                error.line(),
                error.column()
            )
        })
    }

    /// Replaces what the secret holds.
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

#[expect(clippy::ref_option, reason = "the shape of serialize_with")]
fn serialize_exposed<S: Serializer>(
    key: &Option<SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    key.as_ref()
        .map(ExposeSecret::expose_secret)
        .serialize(serializer)
}
