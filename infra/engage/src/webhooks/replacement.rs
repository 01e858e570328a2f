//! Creates a subscription and deletes those that it replaces. Each step is stored in the secret
//! before the next one starts.

use anyhow::Result;
use bill::{
    Error, ErrorKind,
    events::{CreatedSubscription, Subscription, SubscriptionId},
};
use url::Url;
use uuid::Uuid;

use super::subscriptions::{StackSubscriptions, require_id};
use crate::keys::{KeyStore, PendingSubscription, WebhookSecret};

/// Number of subscriptions that BILL allows a partner.
const MAX_SUBSCRIPTIONS: usize = 10;

/// Creates and replaces the stack's subscription.
#[derive(Debug, Clone)]
pub(super) struct Replacement {
    subscriptions: StackSubscriptions,
    keys: KeyStore,
}

/// A subscription that delivers to the stack and whose key is stored.
#[derive(Debug)]
pub struct SubscriptionChange {
    /// The subscription, as BILL returns it.
    pub subscription: Subscription,
    /// The subscriptions that it replaced, which were deleted.
    pub deleted: Vec<SubscriptionId>,
    /// Whether this finished an interrupted command.
    pub was_interrupted: bool,
}

/// What [`Replacement::resume`] found and did.
#[derive(Debug)]
pub(super) enum ResumeState {
    /// No command was interrupted, or nothing of its work is left to do.
    NothingPending,
    /// A subscription was still to be created. It exists now, and those that it replaces are
    /// deleted.
    CreationFinished(SubscriptionChange),
    /// Replaced subscriptions were still to be deleted. They are deleted now.
    DeletionFinished(SubscriptionChange),
    /// Replaced subscriptions are still to be deleted. They were kept, because no other
    /// subscription of the stack is enabled.
    NoActiveReplacement,
}

impl Replacement {
    pub(super) fn new(subscriptions: StackSubscriptions, keys: KeyStore) -> Self {
        Self {
            subscriptions,
            keys,
        }
    }

    /// Replaces all these subscriptions with one whose URL differs from all of theirs.
    pub(super) async fn replace(&self, own: &[Subscription]) -> Result<SubscriptionChange> {
        let version = own
            .iter()
            .filter_map(|subscription| Some(url_version(subscription.notification_url.as_ref()?)))
            .max()
            .unwrap_or(1);
        let mut url = self.subscriptions.url().clone();
        url.set_query(Some(&format!("v={}", version.saturating_add(1))));
        let replaces = own.iter().map(require_id).collect::<Result<Vec<_>>>()?;

        self.create_subscription(url, replaces).await
    }

    /// Creates a subscription, stores its key, and deletes those that it replaces. `Err`: running
    /// the command again finishes it.
    pub(super) async fn create_subscription(
        &self,
        url: Url,
        replaces: Vec<SubscriptionId>,
    ) -> Result<SubscriptionChange> {
        let mut secret = self.keys.read().await?;
        let pending = self.store_pending(&mut secret, url, replaces).await?;

        let created = self.create_pending(&mut secret, &pending).await?;
        self.activate(secret, created, pending.replaces).await
    }

    /// Finishes an interrupted command. Deletes a subscription that may deliver only if another one
    /// of the stack is enabled.
    pub(super) async fn resume(&self) -> Result<ResumeState> {
        let mut secret = self.keys.read().await?;
        if let Some(pending) = secret.pending.clone() {
            let created = self.resume_creation(&mut secret, &pending).await?;
            let change = self.activate(secret, created, pending.replaces).await?;
            return Ok(ResumeState::CreationFinished(SubscriptionChange {
                was_interrupted: true,
                ..change
            }));
        }
        if secret.retiring.is_empty() {
            return Ok(ResumeState::NothingPending);
        }

        self.resume_deletion(secret).await
    }

    async fn resume_deletion(&self, mut secret: WebhookSecret) -> Result<ResumeState> {
        let own = self.subscriptions.own().await?;
        let is_retiring = |subscription: &Subscription| {
            subscription
                .id
                .as_ref()
                .is_some_and(|id| secret.retiring.contains(id))
        };
        let successor = own
            .iter()
            .find(|subscription| subscription.is_enabled() && !is_retiring(subscription));

        if let Some(successor) = successor {
            let deleted = self.delete_retiring(&mut secret).await?;
            return Ok(ResumeState::DeletionFinished(SubscriptionChange {
                subscription: successor.clone(),
                deleted,
                was_interrupted: true,
            }));
        }
        if own.is_empty() {
            self.delete_retiring(&mut secret).await?;
            return Ok(ResumeState::NothingPending);
        }
        Ok(ResumeState::NoActiveReplacement)
    }

    /// Stores the key of the new subscription and deletes those that it replaces.
    async fn activate(
        &self,
        mut secret: WebhookSecret,
        created: CreatedSubscription,
        replaces: Vec<SubscriptionId>,
    ) -> Result<SubscriptionChange> {
        let CreatedSubscription {
            subscription,
            security_key,
        } = created;
        secret.set_current(&security_key);
        secret.pending = None;
        let added: Vec<_> = replaces
            .into_iter()
            .filter(|id| !secret.retiring.contains(id))
            .collect();
        secret.retiring.extend(added);
        self.keys.write(&secret).await?;

        let deleted = self.delete_retiring(&mut secret).await?;
        Ok(SubscriptionChange {
            subscription,
            deleted,
            was_interrupted: false,
        })
    }

    /// The subscription that an interrupted command requested. With the same idempotency key, BILL
    /// returns its original response even if the subscription was disabled since (none of its
    /// deliveries could be verified) or deleted. In these cases another one is created.
    async fn resume_creation(
        &self,
        secret: &mut WebhookSecret,
        pending: &PendingSubscription,
    ) -> Result<CreatedSubscription> {
        let created = self.create_pending(secret, pending).await?;
        let id = require_id(&created.subscription)?;

        match self.subscriptions.get(&id).await? {
            Some(subscription) if subscription.is_enabled() => {
                return Ok(CreatedSubscription {
                    subscription,
                    ..created
                });
            }
            Some(_) => self.subscriptions.delete(&id).await?,
            None => {}
        }
        self.recreate(secret, pending).await
    }

    /// Requests the pending subscription. If BILL refuses because it created the subscription more
    /// than 24 hours ago, that subscription's key is lost: it is deleted, and another one is
    /// created.
    async fn create_pending(
        &self,
        secret: &mut WebhookSecret,
        pending: &PendingSubscription,
    ) -> Result<CreatedSubscription> {
        let refusal = match self.call_create(pending).await {
            Err(error) if error.kind() == ErrorKind::Refused => error,
            outcome => return Ok(outcome?),
        };

        let all = self.subscriptions.list().await?;
        let Some(lost) = all
            .iter()
            .find(|subscription| subscription.notification_url.as_ref() == Some(&pending.url))
        else {
            secret.pending = None;
            self.keys.write(secret).await?;
            return Err(with_limit_hint(refusal, all.len()));
        };

        self.subscriptions.delete(&require_id(lost)?).await?;
        self.recreate(secret, pending).await
    }

    /// Requests the pending subscription with a new idempotency key.
    async fn recreate(
        &self,
        secret: &mut WebhookSecret,
        pending: &PendingSubscription,
    ) -> Result<CreatedSubscription> {
        let pending = self
            .store_pending(secret, pending.url.clone(), pending.replaces.clone())
            .await?;

        Ok(self.call_create(&pending).await?)
    }

    /// Stores the subscription to create, with a new idempotency key.
    async fn store_pending(
        &self,
        secret: &mut WebhookSecret,
        url: Url,
        replaces: Vec<SubscriptionId>,
    ) -> Result<PendingSubscription> {
        let pending = PendingSubscription {
            idempotency_key: Uuid::new_v4(),
            url,
            replaces,
        };
        secret.pending = Some(pending.clone());
        self.keys.write(secret).await?;

        Ok(pending)
    }

    async fn call_create(
        &self,
        pending: &PendingSubscription,
    ) -> Result<CreatedSubscription, Error> {
        self.subscriptions
            .create(pending.idempotency_key, &pending.url)
            .await
    }

    async fn delete_retiring(&self, secret: &mut WebhookSecret) -> Result<Vec<SubscriptionId>> {
        if secret.retiring.is_empty() {
            return Ok(Vec::new());
        }
        for id in &secret.retiring {
            self.subscriptions.delete(id).await?;
        }

        let deleted = std::mem::take(&mut secret.retiring);
        self.keys.write(secret).await?;
        Ok(deleted)
    }
}

/// Adds a hint to a refusal when the limit is reached. BILL documents the limit, but not the error
/// that it returns for it.
fn with_limit_hint(refusal: Error, subscription_count: usize) -> anyhow::Error {
    let refusal = anyhow::Error::new(refusal);
    if subscription_count < MAX_SUBSCRIPTIONS {
        return refusal;
    }
    refusal.context(format!(
        "BILL allows {MAX_SUBSCRIPTIONS} subscriptions, and the partner has {subscription_count}: \
         `engage webhooks list` shows them, `engage webhooks delete ID` deletes one"
    ))
}

/// The parameter `v` of the URL's query; 1 if there is none.
fn url_version(url: &Url) -> u32 {
    url.query_pairs()
        .find(|(name, _)| name == "v")
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(1)
}
