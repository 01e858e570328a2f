//! BILL's webhooks, as in `contract/bill-connect-events.openapi.yaml`: subscriptions, and the
//! notifications that changes of organizations cause. Where the contract is silent or marked
//! `inferred`, an [`EventSwitches`] field or a comment states the chosen behavior.
//!
//! [`EventSwitches`]: switches::EventSwitches

pub(crate) mod delivery;
pub(crate) mod domain_event;
pub(crate) mod idempotency;
pub(crate) mod manual_event;
pub(crate) mod organization_changes;
mod payloads;
pub(crate) mod subscription;
pub(crate) mod subscription_request;
pub(crate) mod switches;
mod webhook_client;

use std::{io, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};

use crate::events::{
    delivery::{DeliveryAttempt, QueuedDelivery},
    domain_event::DomainEvent,
    idempotency::IdempotencyCache,
    subscription::Subscriptions,
    webhook_client::WebhookClient,
};

/// Subscriptions, queued deliveries and delivery attempts.
pub(crate) struct Events {
    pub(crate) subscriptions: Mutex<Subscriptions>,
    pub(crate) idempotency_cache: Mutex<IdempotencyCache>,
    pub(crate) delivery_attempts: Mutex<Vec<DeliveryAttempt>>,
    pub(crate) webhook_client: WebhookClient,
    delivery_queue: mpsc::UnboundedSender<QueuedDelivery>,
    in_flight: watch::Sender<usize>,
}

impl Events {
    /// Returns the receiver of the delivery queue as well. `Err` means that the HTTP client cannot
    /// be created.
    pub(crate) fn new() -> io::Result<(Self, mpsc::UnboundedReceiver<QueuedDelivery>)> {
        let (delivery_queue, queued_deliveries) = mpsc::unbounded_channel();
        let events = Self {
            subscriptions: Mutex::default(),
            idempotency_cache: Mutex::default(),
            delivery_attempts: Mutex::default(),
            webhook_client: WebhookClient::new().map_err(io::Error::other)?,
            delivery_queue,
            in_flight: watch::Sender::new(0),
        };

        Ok((events, queued_deliveries))
    }

    /// Queues `copies` notifications about the event for each enabled subscription to its type.
    pub(crate) fn publish(&self, event: DomainEvent, copies: usize) {
        let event = Arc::new(event);
        let subscription_ids = self.subscriptions.lock().enabled_for(&event.event_type);

        for subscription_id in subscription_ids {
            for _ in 0..copies {
                let delivery = QueuedDelivery::new(&subscription_id, &event, &self.in_flight);
                // `Err` means that the receiver is gone because the sandbox is being dropped.
                self.delivery_queue.send(delivery).ok();
            }
        }
    }

    /// The number of notifications that are queued, being sent or waiting for a retry.
    pub(crate) fn in_flight(&self) -> watch::Receiver<usize> {
        self.in_flight.subscribe()
    }
}
