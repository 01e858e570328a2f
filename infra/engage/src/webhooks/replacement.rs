//! Creates a subscription and deletes those that it replaces. Each step is stored before the next
//! begins.

use anyhow::Result;
use bill::{
    Error, ErrorKind,
    events::{CreatedSubscription, EventType, Subscription, SubscriptionId},
};
use url::Url;
use uuid::Uuid;

use super::stack_subscriptions::{Webhooks, call_deadline, require_id};
use crate::keys::{Pending, WebhookSecret};

/// Name of the stack's subscriptions in BILL.
const NAME: &str = "BILL Engage";

/// Maximum number of subscriptions of a partner.
const MAX_SUBSCRIPTIONS: usize = 10;

/// A subscription that now delivers to the stack; its key is stored.
#[derive(Debug)]
pub struct SubscriptionChange {
    /// The subscription as BILL returned it.
    pub subscription: Subscription,
    /// The subscriptions that it replaced.
    pub ended: Vec<SubscriptionId>,
    /// Whether this completed an interrupted command.
    pub was_interrupted: bool,
}

/// What an interrupted command had still to do.
#[derive(Debug)]
pub(super) enum ResumeState {
    /// Nothing.
    Nothing,
    /// To create a subscription and delete those that it replaces. Both are done now.
    Created(SubscriptionChange),
    /// To delete the replaced subscriptions. That is done now.
    Deleted(SubscriptionChange),
    /// The same, but no other subscription delivers. So nothing was deleted.
    NoActiveReplacement,
}

impl Webhooks {
    /// Replaces these subscriptions with one whose URL none of them has.
    pub(super) async fn replace(&self, ours: &[Subscription]) -> Result<SubscriptionChange> {
        let version = ours
            .iter()
            .filter_map(|subscription| Some(version(subscription.notification_url.as_ref()?)))
            .max()
            .unwrap_or(1);
        let mut url = self.url.clone();
        url.set_query(Some(&format!("v={}", version.saturating_add(1))));
        self.create_and_activate(url, ours.iter().map(require_id).collect::<Result<_>>()?)
            .await
    }

    /// Creates a subscription, stores its key, and deletes those that it replaces.
    pub(super) async fn create_and_activate(
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
        let created = self.create_pending(&mut stored, &pending).await?;
        self.activate(stored, created, pending.replaces).await
    }

    /// Completes an interrupted command. A subscription that delivers is deleted only if another
    /// one delivers.
    pub(super) async fn resume(&self) -> Result<ResumeState> {
        let mut stored = self.keys.read().await?;
        if let Some(pending) = stored.pending.clone() {
            let created = self.resume_creation(&mut stored, &pending).await?;
            let change = self.activate(stored, created, pending.replaces).await?;
            return Ok(ResumeState::Created(SubscriptionChange {
                was_interrupted: true,
                ..change
            }));
        }
        if stored.retiring.is_empty() {
            return Ok(ResumeState::Nothing);
        }
        let ours = self.list_own().await?;
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
            return Ok(ResumeState::Deleted(SubscriptionChange {
                subscription: successor.clone(),
                ended,
                was_interrupted: true,
            }));
        }
        if ours.is_empty() {
            self.delete_retiring(&mut stored).await?;
            return Ok(ResumeState::Nothing);
        }
        Ok(ResumeState::NoActiveReplacement)
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
        stored.set_current(&security_key);
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

    /// The subscription that an interrupted command requested. With its idempotency key BILL
    /// returns the original response, even if the subscription was disabled since, because none of
    /// its deliveries could be verified, or deleted. Then another one is created.
    async fn resume_creation(
        &self,
        stored: &mut WebhookSecret,
        pending: &Pending,
    ) -> Result<CreatedSubscription> {
        let created = self.create_pending(stored, pending).await?;
        let id = require_id(&created.subscription)?;
        match self.subscriptions.get(&id, call_deadline()).await? {
            Some(subscription) if subscription.is_enabled() => {
                return Ok(CreatedSubscription {
                    subscription,
                    ..created
                });
            }
            Some(_) => drop(self.subscriptions.delete(&id, call_deadline()).await?),
            None => {}
        }
        self.recreate(stored, pending).await
    }

    /// Creates the subscription. If BILL rejects the request because it created the subscription
    /// more than 24 hours ago, its key is lost: it is deleted, and another one is created.
    async fn create_pending(
        &self,
        stored: &mut WebhookSecret,
        pending: &Pending,
    ) -> Result<CreatedSubscription> {
        let error = match self.send_create(pending).await {
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
            return Err(with_limit_hint(error, all.len()));
        };
        self.subscriptions
            .delete(&require_id(lost)?, call_deadline())
            .await?;
        self.recreate(stored, pending).await
    }

    /// Creates the subscription with a new idempotency key.
    async fn recreate(
        &self,
        stored: &mut WebhookSecret,
        pending: &Pending,
    ) -> Result<CreatedSubscription> {
        let retried = Pending {
            idempotency_key: Uuid::new_v4(),
            ..pending.clone()
        };
        stored.pending = Some(retried.clone());
        self.keys.write(stored).await?;
        Ok(self.send_create(&retried).await?)
    }

    async fn send_create(&self, pending: &Pending) -> Result<CreatedSubscription, Error> {
        self.subscriptions
            .create(
                pending.idempotency_key,
                NAME,
                &EventType::SUBSCRIBED,
                &pending.url,
                call_deadline(),
            )
            .await
    }

    async fn delete_retiring(&self, stored: &mut WebhookSecret) -> Result<Vec<SubscriptionId>> {
        if stored.retiring.is_empty() {
            return Ok(Vec::new());
        }
        for id in &stored.retiring {
            self.subscriptions.delete(id, call_deadline()).await?;
        }
        let ended = std::mem::take(&mut stored.retiring);
        self.keys.write(stored).await?;
        Ok(ended)
    }
}

/// Adds the limit of BILL to an error when it is reached. BILL documents the limit, but not the
/// error.
fn with_limit_hint(error: Error, present: usize) -> anyhow::Error {
    let error = anyhow::Error::new(error);
    if present < MAX_SUBSCRIPTIONS {
        return error;
    }
    error.context(format!(
        "BILL allows {MAX_SUBSCRIPTIONS} subscriptions, and the partner has {present}: \
         `engage webhooks list` shows them, `engage webhooks delete ID` deletes one"
    ))
}

/// The `v` of a URL's query; without one, 1.
fn version(url: &Url) -> u32 {
    url.query_pairs()
        .find(|(name, _)| name == "v")
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(1)
}
