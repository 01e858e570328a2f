//! The stack's subscription to BILL's events.
//!
//! BILL has no call that changes a subscription, none that gives it another key, and refuses a second one with the same events and
//! URL. So a subscription is replaced by one whose URL differs in its query alone (`?v=2`): the new one is made, its key is stored
//! beside the old, and then the old one is ended. At any moment at least one of them delivers. What a delivery cannot prove because
//! its key is not stored yet, is refused, and repeated by BILL.
//!
//! Each step is stored before the next begins, so a command that was interrupted is finished by running it again.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use bill::events::{Created, EventType, Subscription, SubscriptionId, Subscriptions, TestEvent};
use bill::{Error, ErrorKind};
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use crate::keys::{KeyStore, Pending, StoredKeys};

/// What partners read in the list of their subscriptions.
const NAME: &str = "BILL Engage";
/// Under which the HTTP API takes notifications.
const PATH: &str = "/bill/events";
/// For one call to BILL with its repeats.
const PATIENCE: Duration = Duration::from_mins(1);

/// The operators' view of the subscription.
#[derive(Debug, Clone)]
pub struct Webhooks {
    subscriptions: Subscriptions,
    keys: KeyStore,
    url: Url,
}

/// A subscription that now delivers to the stack, its key stored.
#[derive(Debug)]
pub struct Established {
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
    Already(Subscription),
    /// It was switched off, and has been replaced.
    Replaced(Established),
}

impl Webhooks {
    /// `api_url` is the stack's output `ApiUrl`. `Err`: it is no URL that a path could follow.
    pub fn new(subscriptions: Subscriptions, keys: KeyStore, api_url: &str) -> Result<Self> {
        let url = format!("{}{PATH}", api_url.trim_end_matches('/'));
        let url = Url::parse(&url).with_context(|| format!("the API's URL {api_url} is not a URL"))?;
        Ok(Self { subscriptions, keys, url })
    }

    /// Subscribes the stack, and stores the key. `Err`: it is subscribed, or BILL or AWS refused.
    pub async fn create(&self) -> Result<Established> {
        if let Some(finished) = self.finish().await? {
            return Ok(finished);
        }
        if let Some(present) = self.ours().await?.first() {
            let hint = if present.is_enabled() {
                "`engage webhooks rotate-key` gives it another key"
            } else {
                "`engage webhooks enable` brings it back"
            };
            bail!("the stack is subscribed already, by {}; {hint}", id(present)?);
        }
        self.begin(self.url.clone(), Vec::new()).await
    }

    /// Replaces the stack's subscription by one with another key. The old key stays valid for what is under way, unless
    /// `revoke_previous`; then only the new one is.
    pub async fn rotate_key(&self, revoke_previous: bool) -> Result<Established> {
        let established = if let Some(finished) = self.finish().await? {
            finished
        } else {
            let ours = self.ours().await?;
            if ours.is_empty() {
                bail!("the stack has no subscription; `engage webhooks create` makes one");
            }
            self.replace(&ours).await?
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
        if let Some(finished) = self.finish().await? {
            return Ok(Enabled::Replaced(finished));
        }
        let ours = self.ours().await?;
        if let Some(enabled) = ours.iter().find(|subscription| subscription.is_enabled()) {
            return Ok(Enabled::Already(enabled.clone()));
        }
        if ours.is_empty() {
            bail!("the stack has no subscription; `engage webhooks create` makes one");
        }
        Ok(Enabled::Replaced(self.replace(&ours).await?))
    }

    /// Every subscription of the partner, those of others included.
    pub async fn list(&self) -> Result<Vec<Subscription>> {
        Ok(self.subscriptions.all(soon()).await?.rows)
    }

    /// The subscription of this id, or the stack's own.
    pub async fn show(&self, chosen: Option<&SubscriptionId>) -> Result<Subscription> {
        match chosen {
            Some(id) => self.subscriptions.get(id, soon()).await?.with_context(|| format!("BILL knows no subscription {id}")),
            None => self.only().await,
        }
    }

    /// Makes BILL send a made-up notification, and tells how it was answered.
    pub async fn test(&self, chosen: Option<&SubscriptionId>) -> Result<TestEvent> {
        let id = self.chosen(chosen).await?;
        self.subscriptions.test(&id, soon()).await?.with_context(|| format!("BILL knows no subscription {id}"))
    }

    /// Ends a subscription. Its key stays in the secret, for what is under way.
    pub async fn delete(&self, chosen: Option<&SubscriptionId>) -> Result<SubscriptionId> {
        let subscription = self.show(chosen).await?;
        let id = id(&subscription)?;
        let mut stored = self.keys.read().await?;
        self.subscriptions.delete(&id, soon()).await?;
        // BILL would answer for a day that it exists.
        let was_pending = stored.pending.take_if(|pending| Some(&pending.url) == subscription.notification_url.as_ref()).is_some();
        if was_pending || stored.retiring.contains(&id) {
            stored.retiring.retain(|retiring| *retiring != id);
            self.keys.write(&stored).await?;
        }
        Ok(id)
    }

    /// Whether a subscription delivers to this stack.
    pub fn is_ours(&self, subscription: &Subscription) -> bool {
        subscription.notification_url.as_ref().is_some_and(|url| self.is_our_url(url))
    }

    fn is_our_url(&self, url: &Url) -> bool {
        let mut bare = url.clone();
        bare.set_query(None);
        bare == self.url
    }

    async fn ours(&self) -> Result<Vec<Subscription>> {
        Ok(self.list().await?.into_iter().filter(|subscription| self.is_ours(subscription)).collect())
    }

    async fn only(&self) -> Result<Subscription> {
        let mut ours = self.ours().await?;
        match (ours.pop(), ours.is_empty()) {
            (Some(only), true) => Ok(only),
            (Some(_), false) => bail!("the stack has several subscriptions; name one, `engage webhooks list` shows them"),
            (None, _) => bail!("the stack has no subscription; `engage webhooks create` makes one"),
        }
    }

    async fn chosen(&self, chosen: Option<&SubscriptionId>) -> Result<SubscriptionId> {
        match chosen {
            Some(chosen) => Ok(chosen.clone()),
            None => id(&self.only().await?),
        }
    }

    async fn replace(&self, ours: &[Subscription]) -> Result<Established> {
        let version = ours.iter().filter_map(|subscription| Some(version(subscription.notification_url.as_ref()?))).max().unwrap_or(1);
        let mut url = self.url.clone();
        url.set_query(Some(&format!("v={}", version.saturating_add(1))));
        self.begin(url, ours.iter().map(id).collect::<Result<_>>()?).await
    }

    async fn begin(&self, url: Url, replaces: Vec<SubscriptionId>) -> Result<Established> {
        let mut stored = self.keys.read().await?;
        let pending = Pending { idempotency_key: Uuid::new_v4(), url, replaces };
        stored.pending = Some(pending.clone());
        self.keys.write(&stored).await?;
        self.complete(stored, pending).await
    }

    /// Finishes what an earlier command has begun. `None`: nothing was left.
    async fn finish(&self) -> Result<Option<Established>> {
        let mut stored = self.keys.read().await?;
        if let Some(pending) = stored.pending.clone() {
            let established = self.complete(stored, pending).await?;
            return Ok(Some(Established { was_interrupted: true, ..established }));
        }
        if stored.retiring.is_empty() {
            return Ok(None);
        }
        let ended = self.retire(&mut stored).await?;
        Ok(Some(Established { subscription: self.only().await?, ended, was_interrupted: true }))
    }

    async fn complete(&self, mut stored: StoredKeys, pending: Pending) -> Result<Established> {
        let Created { subscription, security_key } = self.created(&mut stored, &pending).await?;
        stored.take(&security_key);
        stored.pending = None;
        stored.retiring = pending.replaces;
        self.keys.write(&stored).await?;
        let ended = self.retire(&mut stored).await?;
        Ok(Established { subscription, ended, was_interrupted: false })
    }

    /// Asks BILL for the subscription. When BILL refuses because it made the subscription more than a day ago, nobody will ever see
    /// that one's key: it is ended, and another is made.
    async fn created(&self, stored: &mut StoredKeys, pending: &Pending) -> Result<Created> {
        let refusal = match self.ask(pending).await {
            Err(error) if error.kind() == ErrorKind::Refused => error,
            outcome => return Ok(outcome?),
        };
        let all = self.list().await?;
        let Some(lost) = all.iter().find(|subscription| subscription.notification_url.as_ref() == Some(&pending.url)) else {
            stored.pending = None;
            self.keys.write(stored).await?;
            return Err(refusal.into());
        };
        self.subscriptions.delete(&id(lost)?, soon()).await?;
        let again = Pending { idempotency_key: Uuid::new_v4(), ..pending.clone() };
        stored.pending = Some(again.clone());
        self.keys.write(stored).await?;
        Ok(self.ask(&again).await?)
    }

    async fn ask(&self, pending: &Pending) -> Result<Created, Error> {
        self.subscriptions.create(pending.idempotency_key, NAME, &EventType::WANTED, &pending.url, soon()).await
    }

    async fn retire(&self, stored: &mut StoredKeys) -> Result<Vec<SubscriptionId>> {
        if stored.retiring.is_empty() {
            return Ok(Vec::new());
        }
        for id in &stored.retiring {
            self.subscriptions.delete(id, soon()).await?;
        }
        let ended = std::mem::take(&mut stored.retiring);
        self.keys.write(stored).await?;
        Ok(ended)
    }
}

/// The `v` of a URL's query; without one, 1.
fn version(url: &Url) -> u32 {
    url.query_pairs().find(|(name, _)| name == "v").and_then(|(_, value)| value.parse().ok()).unwrap_or(1)
}

fn id(subscription: &Subscription) -> Result<SubscriptionId> {
    subscription.id.clone().context("BILL lists a subscription without an id")
}

fn soon() -> Instant {
    Instant::now() + PATIENCE
}
