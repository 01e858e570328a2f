//! The partner's webhook subscriptions.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    events::subscription_request::SubscriptionRequest,
    responses::{ErrorResponse, format_timestamp},
};

/// The partner's own organization, which all subscriptions belong to.
pub(crate) const PARTNER_ORGANIZATION_ID: &str = "00802NORTHLIGHTL0p1x";

/// BILL's limit of subscriptions for one organization.
const MAX_SUBSCRIPTIONS: usize = 10;

/// All subscriptions, oldest first.
#[derive(Default)]
pub(crate) struct Subscriptions(Vec<Subscription>);

/// One subscription.
#[derive(Clone)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    /// The key that notifications are signed with.
    pub(crate) security_key: String,
    request: SubscriptionRequest,
    enabled: bool,
    disabled_by_system: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Subscriptions {
    /// Creates a subscription. `Err` is a 400: the same subscription exists, or the limit is
    /// reached. BILL's status and code are unknown; 400 is the only documented status that fits.
    /// Disabled subscriptions count as well, which is `inferred`.
    pub(crate) fn create(
        &mut self,
        request: SubscriptionRequest,
        now: Timestamp,
    ) -> Result<&Subscription, ErrorResponse> {
        let is_duplicate = self
            .0
            .iter()
            .any(|subscription| subscription.request.is_duplicate_of(&request));
        if is_duplicate {
            return Err(ErrorResponse::validation(vec![
                "subscription: already exists".to_owned(),
            ]));
        }
        if self.0.len() >= MAX_SUBSCRIPTIONS {
            return Err(ErrorResponse::validation(vec![format!(
                "subscription: at most {MAX_SUBSCRIPTIONS} are allowed"
            )]));
        }

        self.0.push(Subscription::new(request, now));

        Ok(&self.0[self.0.len() - 1])
    }

    pub(crate) fn all(&self) -> &[Subscription] {
        &self.0
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Subscription> {
        self.0.iter().find(|subscription| subscription.id == id)
    }

    /// `false` means that there is no such subscription.
    pub(crate) fn delete(&mut self, id: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|subscription| subscription.id != id);

        self.0.len() < before
    }

    /// The ids of the enabled subscriptions to this type of event.
    pub(crate) fn enabled_for(&self, event_type: &str) -> Vec<String> {
        let is_subscribed = |subscription: &&Subscription| {
            subscription.enabled
                && subscription
                    .request
                    .events
                    .iter()
                    .any(|event| event.event_type == event_type)
        };

        self.0
            .iter()
            .filter(is_subscribed)
            .map(|subscription| subscription.id.clone())
            .collect()
    }

    /// Disables a subscription, as BILL does after too many failed deliveries.
    pub(crate) fn disable(&mut self, id: &str, now: Timestamp) {
        if let Some(subscription) = self.0.iter_mut().find(|subscription| subscription.id == id) {
            subscription.enabled = false;
            subscription.disabled_by_system = true;
            subscription.updated_at = now;
        }
    }
}

impl Subscription {
    fn new(request: SubscriptionRequest, now: Timestamp) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            security_key: format!(
                "fake-security-key-{}",
                hex::encode(rand::random::<[u8; 16]>())
            ),
            enabled: request.is_enabled(),
            request,
            disabled_by_system: false,
            created_at: now,
            updated_at: now,
        }
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.enabled
    }

    pub(crate) fn notification_url(&self) -> &str {
        &self.request.notification_url
    }

    pub(crate) fn first_event_type(&self) -> &str {
        self.request
            .events
            .first()
            .map_or("", |event| &event.event_type)
    }

    /// The subscription in BILL's format, without the security key.
    pub(crate) fn to_json(&self) -> Value {
        let events: Vec<Value> = self
            .request
            .events
            .iter()
            .map(|event| json!({ "type": event.event_type, "version": event.version }))
            .collect();
        let actor = if self.disabled_by_system {
            "SYSTEM"
        } else {
            "CLIENT"
        };
        let mut status = json!({ "enabled": self.enabled, "actor": actor });
        if self.disabled_by_system {
            status["reason"] = "Notification delivery failed".into();
        }

        json!({
            "id": self.id,
            "name": self.request.name,
            "organizationId": PARTNER_ORGANIZATION_ID,
            "status": status,
            "events": events,
            "notificationUrl": self.request.notification_url,
            "createdTime": format_timestamp(self.created_at),
            "updatedTime": format_timestamp(self.updated_at),
        })
    }

    /// The response to `createSubscription`, the only one with the security key.
    pub(crate) fn to_json_with_key(&self) -> Value {
        let mut subscription = self.to_json();
        subscription["securityKey"] = self.security_key.as_str().into();

        subscription
    }
}
