//! An event that BILL notifies subscribers about.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The version of all event types of the contract.
pub(crate) const EVENT_VERSION: &str = "1";

/// An event that BILL notifies subscribers about. Its id is the same in the notifications of all
/// subscriptions, which is `inferred`.
pub(crate) struct DomainEvent {
    pub(crate) id: String,
    /// The event's type, such as `payment.updated`.
    pub(crate) event_type: String,
    pub(crate) organization_id: String,
    pub(crate) occurred_at: Timestamp,
    /// The fields of the notification beside `metadata`.
    payload: Map<String, Value>,
}

impl DomainEvent {
    /// An event with a new id.
    pub(crate) fn new(
        event_type: &str,
        organization_id: &str,
        payload: Map<String, Value>,
        occurred_at: Timestamp,
    ) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            event_type: event_type.to_owned(),
            organization_id: organization_id.to_owned(),
            occurred_at,
            payload,
        }
    }

    /// The notification for one subscription, as minified JSON.
    pub(crate) fn notification(&self, subscription_id: &str) -> String {
        let metadata = json!({
            "eventId": self.id,
            "subscriptionId": subscription_id,
            "organizationId": self.organization_id,
            "eventType": self.event_type,
            "version": EVENT_VERSION,
        });
        let mut notification = self.payload.clone();
        notification.insert("metadata".to_owned(), metadata);

        Value::Object(notification).to_string()
    }
}
