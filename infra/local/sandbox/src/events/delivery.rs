//! Notifications on their way: signed, repeated after a failure, and given up after too many.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::sleep,
};

use super::{NotificationFormat, VERSION, happening::DomainEvent, subscription::Subscription};
use crate::{SandboxState, answers::time};

/// One attempt to deliver a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// `metadata.eventId`.
    pub event_id: String,
    /// Such as `payment.updated`.
    pub event_type: String,
    /// Whose event it is.
    pub organization_id: String,
    /// To whom it went.
    pub subscription_id: String,
    /// 1 for the first try.
    pub attempt: u32,
    /// What the subscriber answered. None: nothing, or nothing in time.
    pub status: Option<u16>,
    /// When, by the sandbox's clock.
    pub at: Timestamp,
}

/// A notification for one subscriber. While it exists it counts as under way.
pub(crate) struct QueuedDelivery {
    subscription_id: String,
    happening: Arc<DomainEvent>,
    under_way: watch::Sender<usize>,
}

impl QueuedDelivery {
    pub(crate) fn new(
        subscription_id: &str,
        happening: &Arc<DomainEvent>,
        under_way: &watch::Sender<usize>,
    ) -> Self {
        under_way.send_modify(|count| *count += 1);
        Self {
            subscription_id: subscription_id.to_owned(),
            happening: Arc::clone(happening),
            under_way: under_way.clone(),
        }
    }
}

impl Drop for QueuedDelivery {
    fn drop(&mut self) {
        self.under_way.send_modify(|count| *count -= 1);
    }
}

/// Delivers all that is put into the outbox, each parcel on its own, until the task is aborted.
pub(crate) async fn deliver_all(
    shared: Arc<SandboxState>,
    mut queued_deliveries: mpsc::UnboundedReceiver<QueuedDelivery>,
) {
    let mut under_way = JoinSet::new();
    while let Some(parcel) = queued_deliveries.recv().await {
        under_way.spawn(deliver(Arc::clone(&shared), parcel));
        while under_way.try_join_next().is_some() {}
    }
}

/// Until the subscriber answers 200, the subscription is gone or off, or the attempts are used up;
/// then it is switched off.
async fn deliver(shared: Arc<SandboxState>, parcel: QueuedDelivery) {
    let switches = shared.switches.read().events.clone();
    if switches.max_jitter_ms > 0 {
        sleep(Duration::from_millis(rand::random_range(
            0..=switches.max_jitter_ms,
        )))
        .await;
    }
    let mut pause = Duration::from_millis(switches.initial_backoff_ms);
    for attempt in 1..=switches.attempts {
        let subscription = shared
            .events
            .subscriptions
            .lock()
            .get(&parcel.subscription_id)
            .filter(|found| found.is_enabled())
            .cloned();
        let Some(subscription) = subscription else {
            return;
        };
        let status = send(
            &shared.events.http,
            &subscription,
            &parcel.happening,
            switches.form,
        )
        .await;
        shared.events.deliveries.lock().push(Delivery {
            event_id: parcel.happening.id.clone(),
            event_type: parcel.happening.event_type.clone(),
            organization_id: parcel.happening.organization_id.clone(),
            subscription_id: subscription.id,
            attempt,
            status,
            at: shared.clock.now(),
        });
        if status == Some(200) {
            return;
        }
        if attempt < switches.attempts {
            sleep(pause).await;
            pause = pause.saturating_mul(2);
        }
    }
    shared
        .events
        .subscriptions
        .lock()
        .disable(&parcel.subscription_id, shared.clock.now());
}

/// Sends a notification once; the status of the answer, if there is one.
pub(crate) async fn send(
    http: &reqwest::Client,
    subscription: &Subscription,
    happening: &DomainEvent,
    form: NotificationFormat,
) -> Option<u16> {
    let body = body(subscription, happening, form);
    let request = http
        .post(subscription.notification_url())
        .header("content-type", "application/json")
        .header(
            "x-bill-sha-signature",
            signature(&subscription.security_key, body.as_bytes()),
        )
        .body(body);
    match request.send().await {
        Ok(response) => Some(response.status().as_u16()),
        Err(error) => {
            tracing::debug!(%error, "a notification was not answered");
            None
        }
    }
}

fn body(subscription: &Subscription, happening: &DomainEvent, form: NotificationFormat) -> String {
    let notification = happening.notification(&subscription.id);
    match form {
        NotificationFormat::Object => notification,
        NotificationFormat::Text => Value::String(notification).to_string(),
        NotificationFormat::Envelope => json!({
            "id": happening.id,
            "type": happening.event_type,
            "version": VERSION,
            "subscriptionId": subscription.id,
            "payload": notification,
            "createdTime": time(happening.at),
        })
        .to_string(),
    }
}

/// base64 of the HMAC-SHA256 of the body as sent, the key's characters taken as they are.
fn signature(key: &str, body: &[u8]) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        return String::new();
    };
    BASE64_STANDARD.encode(mac.chain_update(body).finalize().into_bytes())
}

/// Follows no redirect, waits long enough for a function that starts cold, and finds names under
/// `localhost` on every machine.
pub(crate) fn http_client() -> reqwest::Result<reqwest::Client> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the sandbox stands in for BILL, and shares nothing with the product's client"
    )]
    let builder = reqwest::Client::builder();
    builder
        .user_agent("bill-sandbox")
        .timeout(Duration::from_secs(20))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .dns_resolver(Arc::new(Resolver))
        .build()
}

/// Names that end in `.localhost` are this machine (RFC 6761, section 6.3), which not every
/// system's resolver knows.
struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            if name.as_str() == "localhost" || name.as_str().ends_with(".localhost") {
                return Ok(
                    Box::new(std::iter::once(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))) as Addrs,
                );
            }
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
