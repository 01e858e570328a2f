//! BILL's webhooks, `contract/bill-connect-events.openapi.yaml`: subscriptions, and the
//! notifications that changes of the population cause. Where the contract is silent or marked
//! `inferred`, a switch says what happens, or a comment what was chosen.

mod delivery;
pub(crate) mod endpoints;
mod happening;
mod idempotency;
mod subscription;

use std::{io, sync::Arc};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};

use self::{
    delivery::QueuedDelivery, happening::DomainEvent, idempotency::IdempotencyCache,
    subscription::Subscriptions,
};
use crate::{
    SandboxState,
    population::{Customers, Organization},
};

pub use self::delivery::Delivery;
pub(crate) use self::delivery::deliver_all;

/// Who is told of changes, what is on its way to them, and how that went.
pub(crate) struct Events {
    subscriptions: Mutex<Subscriptions>,
    idempotency_cache: Mutex<IdempotencyCache>,
    pub(crate) deliveries: Mutex<Vec<Delivery>>,
    outbox: mpsc::UnboundedSender<QueuedDelivery>,
    under_way: watch::Sender<usize>,
    http: reqwest::Client,
}

impl Events {
    /// With the end of the outbox that [`deliver_all`] reads.
    pub(crate) fn new() -> io::Result<(Self, mpsc::UnboundedReceiver<QueuedDelivery>)> {
        let (outbox, queued_deliveries) = mpsc::unbounded_channel();
        let events = Self {
            subscriptions: Mutex::default(),
            idempotency_cache: Mutex::default(),
            deliveries: Mutex::default(),
            outbox,
            under_way: watch::Sender::new(0),
            http: delivery::http_client().map_err(io::Error::other)?,
        };
        Ok((events, queued_deliveries))
    }

    /// How many notifications are neither answered nor given up.
    pub(crate) fn under_way(&self) -> watch::Receiver<usize> {
        self.under_way.subscribe()
    }
}

impl SandboxState {
    /// Changes an organization, or adds it, and tells the subscribers what became of it. Returns
    /// what `change` returns: whether it did anything.
    pub(crate) fn update_and_publish(
        &self,
        id: &str,
        change: impl FnOnce(&mut Customers) -> bool,
    ) -> bool {
        let (before, changed, after) = {
            let mut customers = self.customers.write();
            (
                customers.by_id(id),
                change(&mut customers),
                customers.by_id(id),
            )
        };
        if let Some(after) = after {
            let before = before.unwrap_or_else(|| Arc::new(Organization::default()));
            for happening in happening::between(&before, &after, self.clock.now()) {
                self.announce(happening);
            }
        }
        changed
    }

    /// Tells the subscribers of something that leaves no trace in the population, or of what has
    /// been there for long. `false`: the organization does not exist, or has nothing that such an
    /// event could be about.
    pub(crate) fn publish_manual_event(&self, event: &ManualEvent) -> bool {
        let organization = self.customers.read().by_id(&event.organization_id);
        let happening = organization.and_then(|organization| {
            happening::from_current_state(&event.event_type, &organization, self.clock.now())
        });
        happening
            .map(|happening| self.announce(happening))
            .is_some()
    }

    fn announce(&self, happening: DomainEvent) {
        let happening = Arc::new(happening);
        let copies = if self.switches.read().events.deliver_twice {
            2
        } else {
            1
        };
        for subscription_id in self
            .events
            .subscriptions
            .lock()
            .enabled_for(&happening.event_type)
        {
            for _ in 0..copies {
                let parcel =
                    QueuedDelivery::new(&subscription_id, &happening, &self.events.under_way);
                // The other end is gone only when the sandbox is being dropped.
                self.events.outbox.send(parcel).ok();
            }
        }
    }
}

/// An event to be sent although nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManualEvent {
    /// Whose.
    pub organization_id: String,
    /// One of the five types that the contract has payloads for, such as `payment.failed`.
    #[serde(rename = "type")]
    pub event_type: String,
}

/// What BILL does about webhooks where nobody knows what BILL does, and how reliable the way to the
/// subscriber is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventSwitches {
    /// Whether a subscriber on this machine may be told over http; elsewhere only https is
    /// accepted.
    pub allow_http_to_loopback: bool,
    /// HTTP status for a subscription that does not exist: 404 or 400.
    pub unknown_subscription_status: u16,
    /// How long it takes to create a subscription, in milliseconds. Meanwhile its idempotency key
    /// is in flight.
    pub creation_latency_ms: u64,
    /// How a notification's body is written.
    pub form: NotificationFormat,
    /// Whether every notification is delivered twice.
    pub deliver_twice: bool,
    /// Each delivery waits a random time up to this many milliseconds, so that later events
    /// overtake earlier ones.
    pub max_jitter_ms: u64,
    /// How often a notification is sent before its subscription is switched off.
    pub attempts: u32,
    /// Milliseconds until a failed delivery is repeated; doubled each time.
    pub initial_backoff_ms: u64,
}

impl Default for EventSwitches {
    fn default() -> Self {
        Self {
            allow_http_to_loopback: true,
            unknown_subscription_status: 404,
            creation_latency_ms: 0,
            form: NotificationFormat::Object,
            deliver_twice: false,
            max_jitter_ms: 0,
            attempts: 5,
            initial_backoff_ms: 50,
        }
    }
}

/// The forms that a notification's body has been seen in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationFormat {
    /// The notification itself.
    #[default]
    Object,
    /// A JSON text that holds it.
    Text,
    /// An `EventDto` whose `payload` is such a text.
    Envelope,
}

/// The partner's own organization, which a partner's subscriptions belong to.
const PARTNER_ORGANIZATION_ID: &str = "00802NORTHLIGHTL0p1x";

/// The only version there is.
const VERSION: &str = "1";
