//! Queued deliveries and the record of delivery attempts.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::events::domain_event::DomainEvent;

/// One attempt to deliver a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryAttempt {
    /// The notification's `metadata.eventId`.
    pub event_id: String,
    /// The event's type, such as `payment.updated`.
    pub event_type: String,
    /// The organization that the event is about.
    pub organization_id: String,
    /// The subscription that the notification was sent to.
    pub subscription_id: String,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The status of the subscriber's response. `None` means that there was no response in time.
    pub status: Option<u16>,
    /// The sandbox's time after the attempt.
    pub attempted_at: Timestamp,
}

/// A notification for one subscription. It counts as in flight until it is dropped.
pub(crate) struct QueuedDelivery {
    pub(crate) subscription_id: String,
    pub(crate) event: Arc<DomainEvent>,
    in_flight: watch::Sender<usize>,
}

impl QueuedDelivery {
    pub(crate) fn new(
        subscription_id: &str,
        event: &Arc<DomainEvent>,
        in_flight: &watch::Sender<usize>,
    ) -> Self {
        in_flight.send_modify(|count| *count += 1);

        Self {
            subscription_id: subscription_id.to_owned(),
            event: Arc::clone(event),
            in_flight: in_flight.clone(),
        }
    }
}

impl Drop for QueuedDelivery {
    fn drop(&mut self) {
        self.in_flight.send_modify(|count| *count -= 1);
    }
}
