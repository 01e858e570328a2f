//! The HTTP client that sends signed notifications.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    events::{
        domain_event::{DomainEvent, EVENT_VERSION},
        subscription::Subscription,
        switches::NotificationFormat,
    },
    responses::format_timestamp,
};

/// Long enough for a cold start of the subscriber's function.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Sends notifications to subscribers.
pub(crate) struct WebhookClient(reqwest::Client);

impl WebhookClient {
    /// The client follows no redirects and uses no proxy.
    pub(crate) fn new() -> reqwest::Result<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the sandbox stands in for BILL and does not use the product's client"
        )]
        let builder = reqwest::Client::builder();
        let client = builder
            .user_agent("bill-sandbox")
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(LocalhostResolver))
            .build()?;

        Ok(Self(client))
    }

    /// Sends a notification once. Returns the status of the response; `None` means that there was
    /// no response in time.
    pub(crate) async fn send(
        &self,
        subscription: &Subscription,
        event: &DomainEvent,
        format: NotificationFormat,
    ) -> Option<u16> {
        let body = notification_body(subscription, event, format);
        let signature = signature(&subscription.security_key, body.as_bytes());
        let response = self
            .0
            .post(subscription.notification_url())
            .header("content-type", "application/json")
            .header("x-bill-sha-signature", signature)
            .body(body)
            .send()
            .await;

        match response {
            Ok(response) => Some(response.status().as_u16()),
            Err(error) => {
                tracing::debug!(%error, "no response to a notification");
                None
            }
        }
    }
}

fn notification_body(
    subscription: &Subscription,
    event: &DomainEvent,
    format: NotificationFormat,
) -> String {
    let notification = event.notification(&subscription.id);

    match format {
        NotificationFormat::Object => notification,
        NotificationFormat::JsonString => Value::String(notification).to_string(),
        NotificationFormat::EventDto => json!({
            "id": event.id,
            "type": event.event_type,
            "version": EVENT_VERSION,
            "subscriptionId": subscription.id,
            "payload": notification,
            "createdTime": format_timestamp(event.occurred_at),
        })
        .to_string(),
    }
}

/// The base64 of the body's HMAC-SHA256. The characters of `key` are the HMAC's key; they are not
/// decoded.
fn signature(key: &str, body: &[u8]) -> String {
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        return String::new();
    };

    BASE64_STANDARD.encode(mac.chain_update(body).finalize().into_bytes())
}

/// Resolves names that end in `.localhost` to this machine (RFC 6761, section 6.3). Not every
/// system's resolver does.
struct LocalhostResolver;

impl Resolve for LocalhostResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            if name.as_str() == "localhost" || name.as_str().ends_with(".localhost") {
                let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                return Ok(Box::new(std::iter::once(loopback)) as Addrs);
            }

            let addresses: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
