//! Calls to BILL's subscription API, and which of the partner's subscriptions belong to the stack.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use bill::{
    Error,
    events::{
        CreatedSubscription, EventType, Subscription, SubscriptionId, SubscriptionsClient,
        TestEventResult,
    },
};
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

/// Name of the subscription in the partner's list.
const SUBSCRIPTION_NAME: &str = "BILL Engage";
/// Total time for one call to BILL, including its retries.
const BILL_CALL_TIMEOUT: Duration = Duration::from_mins(1);

/// The partner's subscriptions, as seen by a stack that receives notifications at one URL.
#[derive(Debug, Clone)]
pub(super) struct StackSubscriptions {
    client: SubscriptionsClient,
    url: Url,
}

impl StackSubscriptions {
    /// `url` is the stack's notification URL, without a query.
    pub(super) fn new(client: SubscriptionsClient, url: Url) -> Self {
        Self { client, url }
    }

    /// The stack's notification URL, without a query.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// All subscriptions of the partner, including those of other systems.
    pub(super) async fn list(&self) -> Result<Vec<Subscription>, Error> {
        Ok(self.client.list(call_deadline()).await?.rows)
    }

    /// The subscriptions that deliver to the stack.
    pub(super) async fn own(&self) -> Result<Vec<Subscription>, Error> {
        let all = self.list().await?;

        Ok(all
            .into_iter()
            .filter(|subscription| self.belongs_to_stack(subscription))
            .collect())
    }

    /// Like [`own`](Self::own). `Err` also when there is none.
    pub(super) async fn require_own(&self) -> Result<Vec<Subscription>> {
        let own = self.own().await?;
        if own.is_empty() {
            bail!("the stack has no subscription; run `engage webhooks create` to create one");
        }
        Ok(own)
    }

    /// The stack's subscription. `Err` also when there is none or more than one.
    pub(super) async fn single_own(&self) -> Result<Subscription> {
        let mut own = self.require_own().await?;

        match (own.pop(), own.is_empty()) {
            (Some(single), true) => Ok(single),
            _ => bail!(
                "the stack has several subscriptions; give the id of one, \
                 `engage webhooks list` shows them"
            ),
        }
    }

    /// Whether a subscription delivers to the stack. The query of its URL may differ.
    pub(super) fn belongs_to_stack(&self, subscription: &Subscription) -> bool {
        subscription
            .notification_url
            .as_ref()
            .is_some_and(|url| self.is_stack_url(url))
    }

    fn is_stack_url(&self, url: &Url) -> bool {
        let mut without_query = url.clone();
        without_query.set_query(None);
        without_query == self.url
    }

    /// `None`: BILL has no subscription with this id.
    pub(super) async fn get(&self, id: &SubscriptionId) -> Result<Option<Subscription>, Error> {
        self.client.get(id, call_deadline()).await
    }

    /// Creates a subscription to the events that receive-events handles. With an idempotency key
    /// that was used in the last 24 hours, BILL repeats its earlier response.
    pub(super) async fn create(
        &self,
        idempotency_key: Uuid,
        url: &Url,
    ) -> Result<CreatedSubscription, Error> {
        self.client
            .create(
                idempotency_key,
                SUBSCRIPTION_NAME,
                &EventType::SUBSCRIBED,
                url,
                call_deadline(),
            )
            .await
    }

    /// Deletes a subscription. Succeeds if it does not exist.
    pub(super) async fn delete(&self, id: &SubscriptionId) -> Result<(), Error> {
        self.client.delete(id, call_deadline()).await?;
        Ok(())
    }

    /// `None`: BILL has no subscription with this id.
    pub(super) async fn send_test_event(
        &self,
        id: &SubscriptionId,
    ) -> Result<Option<TestEventResult>, Error> {
        self.client.send_test_event(id, call_deadline()).await
    }
}

/// The id of a subscription. `Err`: BILL returned none.
pub(super) fn require_id(subscription: &Subscription) -> Result<SubscriptionId> {
    subscription
        .id
        .clone()
        .context("BILL returned a subscription without an id")
}

/// Host and path of a notification URL. The other parts may contain a secret of another system.
pub(crate) fn host_and_path(notification_url: &Url) -> String {
    format!(
        "{}{}",
        notification_url.host_str().unwrap_or_default(),
        notification_url.path()
    )
}

fn call_deadline() -> Instant {
    Instant::now() + BILL_CALL_TIMEOUT
}
