use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use url::{Host, Url};
use uuid::Uuid;

use super::{EventSwitches, PARTNER_ORGANIZATION_ID};
use crate::answers::{ErrorResponse, time};

/// All subscriptions, oldest first.
#[derive(Default)]
pub(crate) struct Subscriptions(Vec<Subscription>);

/// Who wants to be told of what.
#[derive(Clone)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    pub(crate) security_key: String,
    wanted: SubscriptionRequest,
    enabled: bool,
    disabled_by_system: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// What a request for a subscription asks for.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionRequest {
    #[serde(default)]
    name: String,
    status: Option<Status>,
    #[serde(default)]
    events: Vec<EventVersion>,
    #[serde(default)]
    notification_url: String,
}

#[derive(Clone, Deserialize)]
struct Status {
    #[serde(default)]
    enabled: bool,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct EventVersion {
    #[serde(default, rename = "type")]
    event_type: String,
    #[serde(default)]
    version: String,
}

impl SubscriptionRequest {
    /// Reads a request's body. `Err` is a 400 with one error per field that is wrong.
    pub(crate) fn read(body: &Value, switches: &EventSwitches) -> Result<Self, ErrorResponse> {
        let wanted: Self = serde_json::from_value(body.clone())
            .map_err(|error| ErrorResponse::validation(vec![format!("body: {error}")]))?;
        let checks = [
            (wanted.name.is_empty(), "name: must not be empty"),
            (wanted.status.is_none(), "status: must not be null"),
            (wanted.events.is_empty(), "events: must not be empty"),
            (
                wanted
                    .events
                    .iter()
                    .any(|event| event.event_type.is_empty()),
                "events.type: must not be empty",
            ),
            (
                wanted.events.iter().any(|event| event.version.is_empty()),
                "events.version: must not be empty",
            ),
            (
                !is_acceptable_url(&wanted.notification_url, switches),
                "notificationUrl: must be an HTTPS URL",
            ),
        ];
        let wrong: Vec<String> = checks
            .iter()
            .filter(|(is_wrong, _)| *is_wrong)
            .map(|(_, message)| (*message).to_owned())
            .collect();
        if wrong.is_empty() {
            Ok(wanted)
        } else {
            Err(ErrorResponse::validation(wrong))
        }
    }

    /// Same events and same URL, whatever the order, the name and the status.
    fn is_duplicate_of(&self, other: &Self) -> bool {
        let sorted = |events: &[EventVersion]| {
            let mut events = events.to_vec();
            events.sort();
            events
        };
        self.notification_url == other.notification_url
            && sorted(&self.events) == sorted(&other.events)
    }
}

fn is_acceptable_url(url: &str, switches: &EventSwitches) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    match url.scheme() {
        "https" => url.has_host(),
        "http" => switches.allow_http_to_loopback && is_loopback(&url),
        _ => false,
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl Subscriptions {
    /// `Err`: the same subscription exists, or there are ten. BILL's status and code are unknown;
    /// 400 is the only one documented that fits. A subscription that is switched off counts too,
    /// which is `inferred`.
    pub(crate) fn create(
        &mut self,
        wanted: SubscriptionRequest,
        now: Timestamp,
    ) -> Result<&Subscription, ErrorResponse> {
        if self
            .0
            .iter()
            .any(|present| present.wanted.is_duplicate_of(&wanted))
        {
            return Err(ErrorResponse::validation(vec![
                "subscription: already exists".to_owned(),
            ]));
        }
        if self.0.len() >= MOST {
            return Err(ErrorResponse::validation(vec![format!(
                "subscription: at most {MOST} are allowed"
            )]));
        }
        let enabled = wanted.status.as_ref().is_some_and(|status| status.enabled);
        self.0.push(Subscription {
            id: Uuid::new_v4().to_string(),
            security_key: format!(
                "fake-security-key-{}",
                hex::encode(rand::random::<[u8; 16]>())
            ),
            wanted,
            enabled,
            disabled_by_system: false,
            created_at: now,
            updated_at: now,
        });
        Ok(&self.0[self.0.len() - 1])
    }

    pub(crate) fn all(&self) -> &[Subscription] {
        &self.0
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Subscription> {
        self.0.iter().find(|subscription| subscription.id == id)
    }

    /// `false`: there is no such subscription.
    pub(crate) fn delete(&mut self, id: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|subscription| subscription.id != id);
        self.0.len() < before
    }

    /// The ids of the enabled subscriptions that asked for this event.
    pub(crate) fn enabled_for(&self, event_type: &str) -> Vec<String> {
        let interested = |subscription: &&Subscription| {
            subscription.enabled
                && subscription
                    .wanted
                    .events
                    .iter()
                    .any(|event| event.event_type == event_type)
        };
        self.0
            .iter()
            .filter(interested)
            .map(|subscription| subscription.id.clone())
            .collect()
    }

    /// What BILL does after too many failed deliveries.
    pub(crate) fn disable(&mut self, id: &str, now: Timestamp) {
        if let Some(subscription) = self.0.iter_mut().find(|subscription| subscription.id == id) {
            subscription.enabled = false;
            subscription.disabled_by_system = true;
            subscription.updated_at = now;
        }
    }
}

impl Subscription {
    pub(crate) fn is_enabled(&self) -> bool {
        self.enabled
    }

    pub(crate) fn notification_url(&self) -> &str {
        &self.wanted.notification_url
    }

    pub(crate) fn first_event_type(&self) -> &str {
        self.wanted
            .events
            .first()
            .map_or("", |event| &event.event_type)
    }

    /// A row without the key, which is shown once only.
    pub(crate) fn row(&self) -> Value {
        let events: Vec<Value> = self
            .wanted
            .events
            .iter()
            .map(|event| json!({ "type": event.event_type, "version": event.version }))
            .collect();
        let mut status = json!({ "enabled": self.enabled, "actor": if self.disabled_by_system { "SYSTEM" } else { "CLIENT" } });
        if self.disabled_by_system {
            status["reason"] = "Notification delivery failed".into();
        }
        json!({
            "id": self.id,
            "name": self.wanted.name,
            "organizationId": PARTNER_ORGANIZATION_ID,
            "status": status,
            "events": events,
            "notificationUrl": self.wanted.notification_url,
            "createdTime": time(self.created_at),
            "updatedTime": time(self.updated_at),
        })
    }

    pub(crate) fn to_json_with_key(&self) -> Value {
        let mut row = self.row();
        row["securityKey"] = self.security_key.as_str().into();
        row
    }
}

/// Subscriptions per organization, here the partner's.
const MOST: usize = 10;
