//! Making a subscription, and ending those that it replaces. Each step is stored before the next
//! begins.

use anyhow::Result;
use bill::{
    Error, ErrorKind,
    events::{CreatedSubscription, EventType, Subscription, SubscriptionId},
};
use url::Url;
use uuid::Uuid;

use super::{SubscriptionChange, Webhooks, id, soon};
use crate::keys::{Pending, WebhookSecret};

/// What partners read in the list of their subscriptions.
const NAME: &str = "BILL Engage";
/// Subscriptions that BILL lets a partner have.
const MOST: usize = 10;

/// What an earlier command had left to do.
#[derive(Debug)]
pub(super) enum Left {
    /// Nothing.
    Nothing,
    /// To make a subscription, and to end those that it replaces. Both is done now.
    Made(SubscriptionChange),
    /// To end the subscriptions that were replaced. That is done now.
    Ended(SubscriptionChange),
    /// The same, but nothing delivers in their place; so it is not done.
    NoActiveReplacement,
}

impl Webhooks {
    /// Makes a subscription in the place of all of these, to a URL that none of them has.
    pub(super) async fn replace(&self, ours: &[Subscription]) -> Result<SubscriptionChange> {
        let version = ours
            .iter()
            .filter_map(|subscription| Some(version(subscription.notification_url.as_ref()?)))
            .max()
            .unwrap_or(1);
        let mut url = self.url.clone();
        url.set_query(Some(&format!("v={}", version.saturating_add(1))));
        self.begin(url, ours.iter().map(id).collect::<Result<_>>()?)
            .await
    }

    /// Makes a subscription, stores its key, and ends those that it replaces.
    pub(super) async fn begin(
        &self,
        url: Url,
        replaces: Vec<SubscriptionId>,
    ) -> Result<SubscriptionChange> {
        let mut stored = self.keys.read().await?;
        let pending = Pending {
            idempotency_key: Uuid::new_v4(),
            url,
            replaces,
        };
        stored.pending = Some(pending.clone());
        self.keys.write(&stored).await?;
        let created = self.created(&mut stored, &pending).await?;
        self.activate(stored, created, pending.replaces).await
    }

    /// Finishes what an earlier command has begun. Nothing that delivers is ended unless something
    /// else does.
    pub(super) async fn finish(&self) -> Result<Left> {
        let mut stored = self.keys.read().await?;
        if let Some(pending) = stored.pending.clone() {
            let created = self.resume_creation(&mut stored, &pending).await?;
            let established = self.activate(stored, created, pending.replaces).await?;
            return Ok(Left::Made(SubscriptionChange {
                was_interrupted: true,
                ..established
            }));
        }
        if stored.retiring.is_empty() {
            return Ok(Left::Nothing);
        }
        let ours = self.ours().await?;
        let is_retiring = |subscription: &Subscription| {
            subscription
                .id
                .as_ref()
                .is_some_and(|id| stored.retiring.contains(id))
        };
        if let Some(successor) = ours
            .iter()
            .find(|subscription| subscription.is_enabled() && !is_retiring(subscription))
        {
            let ended = self.delete_retiring(&mut stored).await?;
            return Ok(Left::Ended(SubscriptionChange {
                subscription: successor.clone(),
                ended,
                was_interrupted: true,
            }));
        }
        if ours.is_empty() {
            self.delete_retiring(&mut stored).await?;
            return Ok(Left::Nothing);
        }
        Ok(Left::NoActiveReplacement)
    }

    async fn activate(
        &self,
        mut stored: WebhookSecret,
        created: CreatedSubscription,
        replaces: Vec<SubscriptionId>,
    ) -> Result<SubscriptionChange> {
        let CreatedSubscription {
            subscription,
            security_key,
        } = created;
        stored.take(&security_key);
        stored.pending = None;
        let further: Vec<_> = replaces
            .into_iter()
            .filter(|id| !stored.retiring.contains(id))
            .collect();
        stored.retiring.extend(further);
        self.keys.write(&stored).await?;
        let ended = self.delete_retiring(&mut stored).await?;
        Ok(SubscriptionChange {
            subscription,
            ended,
            was_interrupted: false,
        })
    }

    /// The subscription that an earlier command asked for. BILL repeats the answer of that time,
    /// whatever became of the subscription since: nothing that it sent could be verified, so BILL
    /// may have switched it off; or somebody ended it. Then another is made.
    async fn resume_creation(
        &self,
        stored: &mut WebhookSecret,
        pending: &Pending,
    ) -> Result<CreatedSubscription> {
        let created = self.created(stored, pending).await?;
        let id = id(&created.subscription)?;
        match self.subscriptions.get(&id, soon()).await? {
            Some(subscription) if subscription.is_enabled() => {
                return Ok(CreatedSubscription {
                    subscription,
                    ..created
                });
            }
            Some(_) => drop(self.subscriptions.delete(&id, soon()).await?),
            None => {}
        }
        self.recreate(stored, pending).await
    }

    /// Asks BILL for the subscription. When BILL refuses because it made the subscription more than
    /// a day ago, nobody will ever see that one's key: it is ended, and another is made.
    async fn created(&self, stored: &mut WebhookSecret, pending: &Pending) -> Result<CreatedSubscription> {
        let refusal = match self.ask(pending).await {
            Err(error) if error.kind() == ErrorKind::Refused => error,
            outcome => return Ok(outcome?),
        };
        let all = self.list().await?;
        let Some(lost) = all
            .iter()
            .find(|subscription| subscription.notification_url.as_ref() == Some(&pending.url))
        else {
            stored.pending = None;
            self.keys.write(stored).await?;
            return Err(explained(refusal, all.len()));
        };
        self.subscriptions.delete(&id(lost)?, soon()).await?;
        self.recreate(stored, pending).await
    }

    /// Asks BILL for the subscription as if for the first time.
    async fn recreate(&self, stored: &mut WebhookSecret, pending: &Pending) -> Result<CreatedSubscription> {
        let anew = Pending {
            idempotency_key: Uuid::new_v4(),
            ..pending.clone()
        };
        stored.pending = Some(anew.clone());
        self.keys.write(stored).await?;
        Ok(self.ask(&anew).await?)
    }

    async fn ask(&self, pending: &Pending) -> Result<CreatedSubscription, Error> {
        self.subscriptions
            .create(
                pending.idempotency_key,
                NAME,
                &EventType::SUBSCRIBED,
                &pending.url,
                soon(),
            )
            .await
    }

    async fn delete_retiring(&self, stored: &mut WebhookSecret) -> Result<Vec<SubscriptionId>> {
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

/// How BILL says that there are too many subscriptions is not documented; that there may be ten is.
fn explained(refusal: Error, present: usize) -> anyhow::Error {
    let refusal = anyhow::Error::new(refusal);
    if present < MOST {
        return refusal;
    }
    refusal.context(format!(
        "BILL allows {MOST} subscriptions, and the partner has {present}: `engage webhooks list` shows them, `engage webhooks delete ID` ends one"
    ))
}

/// The `v` of a URL's query; without one, 1.
fn version(url: &Url) -> u32 {
    url.query_pairs()
        .find(|(name, _)| name == "v")
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(1)
}
