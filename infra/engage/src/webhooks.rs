//! The stack's subscription to BILL's events.
//!
//! BILL has no call that changes a subscription, none that gives it another key, and refuses a
//! second one with the same events and URL. So a subscription is replaced by one whose URL differs
//! in its query alone (`?v=2`): the new one is made, its key is stored beside the old, and then the
//! old one is ended. At any moment at least one of them delivers. What a delivery cannot prove
//! because its key is not stored yet, is refused, and repeated by BILL.
//!
//! Each step is stored before the next begins, so a command that was interrupted is finished by
//! running it again.

mod replacing;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use bill::events::{Subscription, SubscriptionId, SubscriptionsClient, TestEventResult};
use tokio::time::Instant;
use url::Url;

use crate::keys::KeyStore;
use replacing::Left;

/// Under which the HTTP API takes notifications.
const PATH: &str = "/bill/events";
/// For one call to BILL with its repeats.
const PATIENCE: Duration = Duration::from_mins(1);

/// The operators' view of the subscription.
#[derive(Debug, Clone)]
pub struct Webhooks {
    subscriptions: SubscriptionsClient,
    keys: KeyStore,
    url: Url,
}

/// A subscription that now delivers to the stack, its key stored.
#[derive(Debug)]
pub struct SubscriptionChange {
    /// As BILL has it.
    pub subscription: Subscription,
    /// Those that it took the place of.
    pub ended: Vec<SubscriptionId>,
    /// Whether an earlier command had begun this.
    pub was_interrupted: bool,
}

/// What `enable` found.
#[derive(Debug)]
pub enum Enabled {
    /// It delivers; nothing was done.
    AlreadyEnabled(Subscription),
    /// It was switched off, and has been replaced.
    Replaced(SubscriptionChange),
}

impl Webhooks {
    /// `api_url` is the stack's output `ApiUrl`. `Err`: it is no URL that a path could follow.
    pub fn new(subscriptions: SubscriptionsClient, keys: KeyStore, api_url: &str) -> Result<Self> {
        let url = format!("{}{PATH}", api_url.trim_end_matches('/'));
        let url =
            Url::parse(&url).with_context(|| format!("the API's URL {api_url} is not a URL"))?;
        Ok(Self {
            subscriptions,
            keys,
            url,
        })
    }

    /// Subscribes the stack, and stores the key. `Err`: it is subscribed, or BILL or AWS refused.
    pub async fn create(&self) -> Result<SubscriptionChange> {
        let left = match self.finish().await? {
            Left::Made(finished) | Left::Ended(finished) => return Ok(finished),
            left => left,
        };
        let ours = self.ours().await?;
        if let Some(present) = ours.first() {
            let hint = if matches!(left, Left::Nothing) && ours.iter().any(Subscription::is_enabled)
            {
                "`engage webhooks rotate-key` gives it another key"
            } else {
                "`engage webhooks enable` brings it back"
            };
            bail!(
                "the stack is subscribed already, by {}; {hint}",
                id(present)?
            );
        }
        self.begin(self.url.clone(), Vec::new()).await
    }

    /// Replaces the stack's subscription by one with another key. The old key stays valid for what
    /// is under way, unless `revoke_previous`; then only the new one is.
    pub async fn rotate_key(&self, revoke_previous: bool) -> Result<SubscriptionChange> {
        let established = match self.finish().await? {
            Left::Made(finished) => finished,
            Left::Nothing => {
                self.replace(&self.require_own_subscriptions().await?)
                    .await?
            }
            // The key that is to be changed may be the one that the earlier command has stored.
            Left::Ended(SubscriptionChange { ended, .. }) => {
                let replaced = self
                    .replace(&self.require_own_subscriptions().await?)
                    .await?;
                SubscriptionChange {
                    ended: [ended, replaced.ended].concat(),
                    was_interrupted: true,
                    ..replaced
                }
            }
            Left::NoActiveReplacement => self.replace_all_own().await?,
        };
        if revoke_previous {
            let mut stored = self.keys.read().await?;
            stored.previous = None;
            self.keys.write(&stored).await?;
        }
        Ok(established)
    }

    /// Brings back a subscription that BILL switched off.
    pub async fn enable(&self) -> Result<Enabled> {
        match self.finish().await? {
            Left::Made(finished) | Left::Ended(finished) => return Ok(Enabled::Replaced(finished)),
            Left::NoActiveReplacement => {
                return Ok(Enabled::Replaced(self.replace_all_own().await?));
            }
            Left::Nothing => {}
        }
        let ours = self.require_own_subscriptions().await?;
        if let Some(enabled) = ours.iter().find(|subscription| subscription.is_enabled()) {
            return Ok(Enabled::AlreadyEnabled(enabled.clone()));
        }
        Ok(Enabled::Replaced(self.replace(&ours).await?))
    }

    /// Every subscription of the partner, those of others included.
    pub async fn list(&self) -> Result<Vec<Subscription>> {
        Ok(self.subscriptions.list(soon()).await?.rows)
    }

    /// The subscription of this id, or the stack's own.
    pub async fn show(&self, chosen: Option<&SubscriptionId>) -> Result<Subscription> {
        match chosen {
            Some(id) => self
                .subscriptions
                .get(id, soon())
                .await?
                .with_context(|| format!("BILL knows no subscription {id}")),
            None => self.only().await,
        }
    }

    /// Makes BILL send a made-up notification, and tells how it was answered.
    pub async fn test(&self, chosen: Option<&SubscriptionId>) -> Result<TestEventResult> {
        let id = self.chosen(chosen).await?;
        self.subscriptions
            .send_test_event(&id, soon())
            .await?
            .with_context(|| format!("BILL knows no subscription {id}"))
    }

    /// Ends a subscription. Its key stays in the secret, for what is under way. `Err` also when it
    /// delivers elsewhere, because nobody could bring back its key; unless `force`.
    pub async fn delete(
        &self,
        chosen: Option<&SubscriptionId>,
        force: bool,
    ) -> Result<SubscriptionId> {
        let subscription = self.show(chosen).await?;
        let id = id(&subscription)?;
        if !force && !self.is_ours(&subscription) {
            let receiver = subscription
                .notification_url
                .as_ref()
                .map_or_else(|| "an unknown place".to_owned(), receiver);
            bail!(
                "the subscription {id} is not this stack's, it delivers to {receiver}; --force ends it nevertheless"
            );
        }
        self.remove_from_secret(&id, &subscription).await?;
        self.subscriptions.delete(&id, soon()).await?;
        Ok(id)
    }

    /// What is stored about a subscription that is to be ended. It goes first: were the
    /// subscription ended before, BILL would answer for a day that it exists, and nothing could be
    /// found again that is to be forgotten.
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

    /// Whether a subscription delivers to this stack.
    pub fn is_ours(&self, subscription: &Subscription) -> bool {
        subscription
            .notification_url
            .as_ref()
            .is_some_and(|url| self.is_stack_url(url))
    }

    fn is_stack_url(&self, url: &Url) -> bool {
        let mut bare = url.clone();
        bare.set_query(None);
        bare == self.url
    }

    async fn ours(&self) -> Result<Vec<Subscription>> {
        Ok(self
            .list()
            .await?
            .into_iter()
            .filter(|subscription| self.is_ours(subscription))
            .collect())
    }

    async fn require_own_subscriptions(&self) -> Result<Vec<Subscription>> {
        let ours = self.ours().await?;
        if ours.is_empty() {
            bail!("the stack has no subscription; `engage webhooks create` makes one");
        }
        Ok(ours)
    }

    async fn only(&self) -> Result<Subscription> {
        let mut ours = self.require_own_subscriptions().await?;
        match (ours.pop(), ours.is_empty()) {
            (Some(only), true) => Ok(only),
            _ => bail!(
                "the stack has several subscriptions; name one, `engage webhooks list` shows them"
            ),
        }
    }

    async fn chosen(&self, chosen: Option<&SubscriptionId>) -> Result<SubscriptionId> {
        match chosen {
            Some(chosen) => Ok(chosen.clone()),
            None => id(&self.only().await?),
        }
    }

    /// After [`Left::NoActiveReplacement`]: what was to be ended, and what should have taken its place, are
    /// replaced together.
    async fn replace_all_own(&self) -> Result<SubscriptionChange> {
        Ok(SubscriptionChange {
            was_interrupted: true,
            ..self.replace(&self.ours().await?).await?
        })
    }
}

/// Host and path of where a subscription delivers; what else its URL holds may be a secret of
/// whoever made it.
pub fn receiver(notification_url: &Url) -> String {
    format!(
        "{}{}",
        notification_url.host_str().unwrap_or_default(),
        notification_url.path()
    )
}

fn id(subscription: &Subscription) -> Result<SubscriptionId> {
    subscription
        .id
        .clone()
        .context("BILL lists a subscription without an id")
}

fn soon() -> Instant {
    Instant::now() + PATIENCE
}
