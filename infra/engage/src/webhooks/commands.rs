//! What each command of `engage webhooks` does.

use anyhow::{Context, Result, bail};
use bill::events::{Subscription, SubscriptionId, TestEventResult};

use super::{
    replacement::{ResumeState, SubscriptionChange},
    stack_subscriptions::{Webhooks, call_deadline, receiver, require_id},
};

/// The result of `enable`.
#[derive(Debug)]
pub enum Enabled {
    /// The subscription is enabled; nothing was changed.
    AlreadyEnabled(Subscription),
    /// The subscription was disabled and has been replaced.
    Replaced(SubscriptionChange),
}

impl Webhooks {
    /// Subscribes the stack and stores the key. `Err`: it is already subscribed, or BILL or AWS
    /// rejected the request.
    pub async fn create(&self) -> Result<SubscriptionChange> {
        let resumed = match self.resume().await? {
            ResumeState::Created(finished) | ResumeState::Deleted(finished) => return Ok(finished),
            resumed => resumed,
        };
        let ours = self.list_own().await?;
        if let Some(present) = ours.first() {
            let hint = if matches!(resumed, ResumeState::Nothing)
                && ours.iter().any(Subscription::is_enabled)
            {
                "run `engage webhooks rotate-key` to replace its key"
            } else {
                "run `engage webhooks enable` to replace it"
            };
            bail!(
                "the stack is already subscribed, by {}; {hint}",
                require_id(present)?
            );
        }
        self.create_and_activate(self.url.clone(), Vec::new()).await
    }

    /// Replaces the stack's subscription with one that has a new key. The old key stays valid for
    /// deliveries that are under way, unless `revoke_previous` removes it.
    pub async fn rotate_key(&self, revoke_previous: bool) -> Result<SubscriptionChange> {
        let change = match self.resume().await? {
            ResumeState::Created(finished) => finished,
            ResumeState::Nothing => {
                self.replace(&self.require_own_subscriptions().await?)
                    .await?
            }
            // The key to replace may be the one that the interrupted command stored.
            ResumeState::Deleted(SubscriptionChange { ended, .. }) => {
                let replaced = self
                    .replace(&self.require_own_subscriptions().await?)
                    .await?;
                SubscriptionChange {
                    ended: [ended, replaced.ended].concat(),
                    was_interrupted: true,
                    ..replaced
                }
            }
            ResumeState::NoActiveReplacement => self.replace_all_own().await?,
        };
        if revoke_previous {
            let mut stored = self.keys.read().await?;
            stored.previous = None;
            self.keys.write(&stored).await?;
        }

        Ok(change)
    }

    /// Replaces the stack's subscription if BILL disabled it.
    pub async fn enable(&self) -> Result<Enabled> {
        match self.resume().await? {
            ResumeState::Created(finished) | ResumeState::Deleted(finished) => {
                return Ok(Enabled::Replaced(finished));
            }
            ResumeState::NoActiveReplacement => {
                return Ok(Enabled::Replaced(self.replace_all_own().await?));
            }
            ResumeState::Nothing => {}
        }
        let ours = self.require_own_subscriptions().await?;
        if let Some(enabled) = ours.iter().find(|subscription| subscription.is_enabled()) {
            return Ok(Enabled::AlreadyEnabled(enabled.clone()));
        }
        Ok(Enabled::Replaced(self.replace(&ours).await?))
    }

    /// The subscription with this id, or the stack's own.
    pub async fn show(&self, chosen: Option<&SubscriptionId>) -> Result<Subscription> {
        match chosen {
            Some(id) => self
                .subscriptions
                .get(id, call_deadline())
                .await?
                .with_context(|| format!("BILL has no subscription {id}")),
            None => self.only_own().await,
        }
    }

    /// Makes BILL send a test notification and returns how the stack responded.
    pub async fn test(&self, chosen: Option<&SubscriptionId>) -> Result<TestEventResult> {
        let id = self.resolve_id(chosen).await?;
        self.subscriptions
            .send_test_event(&id, call_deadline())
            .await?
            .with_context(|| format!("BILL has no subscription {id}"))
    }

    /// Deletes a subscription. Its key stays in the secret for deliveries that are under way.
    /// `Err` also when it belongs to another system, whose key could not be recovered, unless
    /// `force`.
    pub async fn delete(
        &self,
        chosen: Option<&SubscriptionId>,
        force: bool,
    ) -> Result<SubscriptionId> {
        let subscription = self.show(chosen).await?;
        let id = require_id(&subscription)?;
        if !force && !self.is_ours(&subscription) {
            let receiver = subscription
                .notification_url
                .as_ref()
                .map_or_else(|| "an unknown URL".to_owned(), receiver);
            bail!(
                "the subscription {id} is not this stack's, it delivers to {receiver}; \
                 use --force to delete it anyway"
            );
        }
        self.remove_from_secret(&id, &subscription).await?;
        self.subscriptions.delete(&id, call_deadline()).await?;
        Ok(id)
    }

    /// Removes what is stored about a subscription before it is deleted. Afterwards BILL would
    /// repeat the response of its creation for 24 hours, and the stored state could not be found.
    async fn remove_from_secret(
        &self,
        id: &SubscriptionId,
        subscription: &Subscription,
    ) -> Result<()> {
        let mut stored = self.keys.read().await?;
        let was_pending = stored
            .pending
            .take_if(|pending| Some(&pending.url) == subscription.notification_url.as_ref())
            .is_some();
        if was_pending || stored.retiring.contains(id) {
            stored.retiring.retain(|retiring| retiring != id);
            self.keys.write(&stored).await?;
        }
        Ok(())
    }

    async fn resolve_id(&self, chosen: Option<&SubscriptionId>) -> Result<SubscriptionId> {
        match chosen {
            Some(chosen) => Ok(chosen.clone()),
            None => require_id(&self.only_own().await?),
        }
    }

    /// Replaces all subscriptions of the stack with one, after
    /// [`ResumeState::NoActiveReplacement`].
    async fn replace_all_own(&self) -> Result<SubscriptionChange> {
        Ok(SubscriptionChange {
            was_interrupted: true,
            ..self.replace(&self.list_own().await?).await?
        })
    }
}
