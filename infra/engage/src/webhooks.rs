//! The stack's subscription to BILL's events.
//!
//! BILL has no operation that changes a subscription or its key, and rejects a second subscription
//! with the same events and URL. So a subscription is replaced by one whose URL differs in its
//! query (`?v=2`): the new one is created, its key is stored beside the old one, and the old
//! subscription is deleted. At least one of them delivers at any time. A delivery that is signed
//! with a key that is not stored yet is rejected, and BILL retries it.
//!
//! Each step is stored before the next one starts, so running an interrupted command again finishes
//! it.

mod replacement;
mod subscriptions;

use anyhow::{Context, Result, bail};
use bill::events::{Subscription, SubscriptionId, SubscriptionsClient, TestEventResult};
use url::Url;

use crate::{
    keys::KeyStore,
    webhooks::{
        replacement::{Replacement, ResumeState},
        subscriptions::{StackSubscriptions, require_id},
    },
};

pub use replacement::SubscriptionChange;
pub(crate) use subscriptions::host_and_path;

/// Path of the HTTP API that receives notifications.
const EVENTS_PATH: &str = "/bill/events";

/// The operators' commands about the stack's subscription.
///
/// The `Err` of each command means that BILL or AWS refused a call, or that a condition that the
/// command names is not met. It is safe to run the command again.
#[derive(Debug, Clone)]
pub struct Webhooks {
    subscriptions: StackSubscriptions,
    keys: KeyStore,
    replacement: Replacement,
}

/// The result of [`Webhooks::enable`].
#[derive(Debug)]
pub enum EnableResult {
    /// The subscription is enabled. Nothing was changed.
    AlreadyEnabled(Subscription),
    /// The subscription was disabled and has been replaced.
    Replaced(SubscriptionChange),
}

impl Webhooks {
    /// `api_url` is the stack's output `ApiUrl`. `Err`: it is not a URL.
    pub fn new(client: SubscriptionsClient, keys: KeyStore, api_url: &str) -> Result<Self> {
        let url = format!("{}{EVENTS_PATH}", api_url.trim_end_matches('/'));
        let url =
            Url::parse(&url).with_context(|| format!("the API URL {api_url} is not a URL"))?;
        let subscriptions = StackSubscriptions::new(client, url);

        Ok(Self {
            replacement: Replacement::new(subscriptions.clone(), keys.clone()),
            subscriptions,
            keys,
        })
    }

    /// Subscribes the stack and stores the key. `Err` also when the stack is already subscribed.
    pub async fn create(&self) -> Result<SubscriptionChange> {
        let resume_state = match self.replacement.resume().await? {
            ResumeState::CreationFinished(change) | ResumeState::DeletionFinished(change) => {
                return Ok(change);
            }
            state => state,
        };

        let own = self.subscriptions.own().await?;
        if let Some(existing) = own.first() {
            let is_working = matches!(resume_state, ResumeState::NothingPending)
                && own.iter().any(Subscription::is_enabled);
            let hint = if is_working {
                "run `engage webhooks rotate-key` for a new key"
            } else {
                "run `engage webhooks enable` to replace it"
            };
            bail!(
                "the stack is subscribed already, by {}; {hint}",
                require_id(existing)?
            );
        }

        let url = self.subscriptions.url().clone();
        self.replacement.create_subscription(url, Vec::new()).await
    }

    /// Replaces the stack's subscription with one that has a new key. The old key stays valid for
    /// deliveries that are under way, unless `revoke_previous` is set.
    pub async fn rotate_key(&self, revoke_previous: bool) -> Result<SubscriptionChange> {
        let change = match self.replacement.resume().await? {
            ResumeState::CreationFinished(change) => change,
            ResumeState::NothingPending => self.replace_required_own().await?,
            // The interrupted command had already stored the key that this one is to replace.
            ResumeState::DeletionFinished(SubscriptionChange { deleted, .. }) => {
                let change = self.replace_required_own().await?;
                SubscriptionChange {
                    deleted: [deleted, change.deleted].concat(),
                    was_interrupted: true,
                    ..change
                }
            }
            ResumeState::NoActiveReplacement => self.replace_all_own().await?,
        };

        if revoke_previous {
            let mut secret = self.keys.read().await?;
            secret.previous = None;
            self.keys.write(&secret).await?;
        }
        Ok(change)
    }

    /// Replaces the stack's subscription if BILL has disabled it.
    pub async fn enable(&self) -> Result<EnableResult> {
        match self.replacement.resume().await? {
            ResumeState::CreationFinished(change) | ResumeState::DeletionFinished(change) => {
                return Ok(EnableResult::Replaced(change));
            }
            ResumeState::NoActiveReplacement => {
                return Ok(EnableResult::Replaced(self.replace_all_own().await?));
            }
            ResumeState::NothingPending => {}
        }

        let own = self.subscriptions.require_own().await?;
        if let Some(enabled) = own.iter().find(|subscription| subscription.is_enabled()) {
            return Ok(EnableResult::AlreadyEnabled(enabled.clone()));
        }
        Ok(EnableResult::Replaced(
            self.replacement.replace(&own).await?,
        ))
    }

    /// All subscriptions of the partner, including those of other systems.
    pub async fn list(&self) -> Result<Vec<Subscription>> {
        Ok(self.subscriptions.list().await?)
    }

    /// The subscription with this id, by default the stack's own. `Err` also when there is none.
    pub async fn show(&self, id: Option<&SubscriptionId>) -> Result<Subscription> {
        match id {
            Some(id) => self
                .subscriptions
                .get(id)
                .await?
                .with_context(|| unknown_subscription(id)),
            None => self.subscriptions.single_own().await,
        }
    }

    /// Makes BILL send a test event and returns the status of the response.
    pub async fn test(&self, id: Option<&SubscriptionId>) -> Result<TestEventResult> {
        let id = self.resolve_id(id).await?;

        self.subscriptions
            .send_test_event(&id)
            .await?
            .with_context(|| unknown_subscription(&id))
    }

    /// Deletes a subscription. Its key stays in the secret for deliveries that are under way. `Err`
    /// also when the subscription delivers to another system, because its key cannot be recovered,
    /// and `force` is not set.
    pub async fn delete(&self, id: Option<&SubscriptionId>, force: bool) -> Result<SubscriptionId> {
        let subscription = self.show(id).await?;
        let id = require_id(&subscription)?;
        if !force && !self.belongs_to_stack(&subscription) {
            let receiver = subscription
                .notification_url
                .as_ref()
                .map_or_else(|| "an unknown URL".to_owned(), host_and_path);
            bail!(
                "the subscription {id} does not belong to this stack, it delivers to {receiver}; \
                 use --force to delete it anyway"
            );
        }

        self.remove_from_secret(&id, &subscription).await?;
        self.subscriptions.delete(&id).await?;
        Ok(id)
    }

    /// Whether a subscription delivers to this stack.
    pub fn belongs_to_stack(&self, subscription: &Subscription) -> bool {
        self.subscriptions.belongs_to_stack(subscription)
    }

    /// Removes what the secret holds about a subscription, except its key. This happens before the
    /// call that deletes the subscription: afterwards BILL would repeat the response to its
    /// creation for 24 hours, and the stored state could not be found by its id.
    async fn remove_from_secret(
        &self,
        id: &SubscriptionId,
        subscription: &Subscription,
    ) -> Result<()> {
        let mut secret = self.keys.read().await?;
        let was_pending = secret
            .pending
            .take_if(|pending| Some(&pending.url) == subscription.notification_url.as_ref())
            .is_some();

        if was_pending || secret.retiring.contains(id) {
            secret.retiring.retain(|retiring| retiring != id);
            self.keys.write(&secret).await?;
        }
        Ok(())
    }

    async fn resolve_id(&self, id: Option<&SubscriptionId>) -> Result<SubscriptionId> {
        match id {
            Some(id) => Ok(id.clone()),
            None => require_id(&self.subscriptions.single_own().await?),
        }
    }

    async fn replace_required_own(&self) -> Result<SubscriptionChange> {
        let own = self.subscriptions.require_own().await?;

        self.replacement.replace(&own).await
    }

    /// After [`ResumeState::NoActiveReplacement`]: replaces the retiring subscriptions and the one
    /// that was to replace them with a single new one.
    async fn replace_all_own(&self) -> Result<SubscriptionChange> {
        let own = self.subscriptions.own().await?;

        Ok(SubscriptionChange {
            was_interrupted: true,
            ..self.replacement.replace(&own).await?
        })
    }
}

fn unknown_subscription(id: &SubscriptionId) -> String {
    format!("BILL has no subscription {id}")
}
