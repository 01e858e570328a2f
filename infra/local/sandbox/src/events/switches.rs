//! Webhook behavior that BILL's documentation leaves open, and the reliability of deliveries.

use serde::{Deserialize, Serialize};

/// Webhook behavior that BILL's documentation leaves open, and the reliability of deliveries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventSwitches {
    /// Whether a notification URL on this machine can use http. All other URLs must use https.
    pub allow_http_to_loopback: bool,
    /// HTTP status for a subscription that does not exist: 404 or 400.
    pub unknown_subscription_status: u16,
    /// The duration of `createSubscription` in milliseconds. Meanwhile another request with the
    /// same idempotency key is rejected.
    pub creation_latency_ms: u64,
    /// The format of a notification's body.
    pub format: NotificationFormat,
    /// Whether every notification is delivered twice.
    pub deliver_twice: bool,
    /// The maximum random delay of each delivery in milliseconds. It causes events to arrive out of
    /// order.
    pub max_jitter_ms: u64,
    /// The number of attempts to deliver a notification before its subscription is disabled.
    pub max_attempts: u32,
    /// Milliseconds until the first retry of a failed delivery. The time doubles with each retry.
    pub initial_backoff_ms: u64,
}

impl Default for EventSwitches {
    fn default() -> Self {
        Self {
            allow_http_to_loopback: true,
            unknown_subscription_status: 404,
            creation_latency_ms: 0,
            format: NotificationFormat::Object,
            deliver_twice: false,
            max_jitter_ms: 0,
            max_attempts: 5,
            initial_backoff_ms: 50,
        }
    }
}

/// The formats of a notification's body that BILL's documentation shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationFormat {
    /// The notification as a JSON object.
    #[default]
    Object,
    /// A JSON string that contains the notification.
    JsonString,
    /// An `EventDto` whose `payload` is a JSON string that contains the notification.
    EventDto,
}
