//! The subscriptions of the partner, and those of this stack among them.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use bill::events::{Subscription, SubscriptionId, SubscriptionsClient};
use tokio::time::Instant;
use url::Url;

use crate::keys::KeyStore;

/// Path at which the HTTP API receives notifications.
const PATH: &str = "/bill/events";

/// Time for one call to BILL, including its retries.
const BILL_CALL_TIMEOUT: Duration = Duration::from_mins(1);

/// The commands of `engage webhooks`.
#[derive(Debug, Clone)]
pub struct Webhooks {
    pub(super) subscriptions: SubscriptionsClient,
    pub(super) keys: KeyStore,
    pub(super) url: Url,
}

impl Webhooks {
    /// `api_url` is the stack's output `ApiUrl`. `Err`: it is not a URL. Sends no request.
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

    /// All subscriptions of the partner, including those of other systems.
    pub async fn list(&self) -> Result<Vec<Subscription>> {
        Ok(self.subscriptions.list(call_deadline()).await?.rows)
    }

    /// Whether a subscription delivers to this stack.
    pub fn is_ours(&self, subscription: &Subscription) -> bool {
        subscription
            .notification_url
            .as_ref()
            .is_some_and(|url| self.is_stack_url(url))
    }

    pub(super) fn is_stack_url(&self, url: &Url) -> bool {
        let mut bare = url.clone();
        bare.set_query(None);
        bare == self.url
    }

    pub(super) async fn list_own(&self) -> Result<Vec<Subscription>> {
        Ok(self
            .list()
            .await?
            .into_iter()
            .filter(|subscription| self.is_ours(subscription))
            .collect())
    }

    pub(super) async fn require_own_subscriptions(&self) -> Result<Vec<Subscription>> {
        let ours = self.list_own().await?;
        if ours.is_empty() {
            bail!("the stack has no subscription; run `engage webhooks create`");
        }
        Ok(ours)
    }

    pub(super) async fn only_own(&self) -> Result<Subscription> {
        let mut ours = self.require_own_subscriptions().await?;
        match (ours.pop(), ours.is_empty()) {
            (Some(only), true) => Ok(only),
            _ => {
                bail!("the stack has several subscriptions; specify one of `engage webhooks list`")
            }
        }
    }
}

/// Host and path of the URL of a subscription. The rest of the URL can contain a secret of its
/// owner.
pub fn receiver(notification_url: &Url) -> String {
    format!(
        "{}{}",
        notification_url.host_str().unwrap_or_default(),
        notification_url.path()
    )
}

/// The id of a subscription. `Err`: BILL returned it without one.
pub(super) fn require_id(subscription: &Subscription) -> Result<SubscriptionId> {
    subscription
        .id
        .clone()
        .context("BILL lists a subscription without an id")
}

/// The deadline of a call to BILL that starts now.
pub(super) fn call_deadline() -> Instant {
    Instant::now() + BILL_CALL_TIMEOUT
}
