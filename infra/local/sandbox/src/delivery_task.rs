//! The background task that delivers notifications, retries failed deliveries and disables the
//! subscriptions that keep failing.

use std::{sync::Arc, time::Duration};

use tokio::{sync::mpsc, task::JoinSet, time::sleep};

use crate::{
    events::delivery::{DeliveryAttempt, QueuedDelivery},
    state::SandboxState,
};

/// Delivers all queued notifications concurrently until the task is aborted.
pub(crate) async fn deliver_all(
    state: Arc<SandboxState>,
    mut queued_deliveries: mpsc::UnboundedReceiver<QueuedDelivery>,
) {
    let mut in_flight = JoinSet::new();

    while let Some(delivery) = queued_deliveries.recv().await {
        in_flight.spawn(deliver(Arc::clone(&state), delivery));
        while in_flight.try_join_next().is_some() {}
    }
}

/// Sends one notification until the subscriber responds with status 200. Stops without a further
/// attempt if the subscription is deleted or disabled. Disables the subscription after the last
/// failed attempt.
async fn deliver(state: Arc<SandboxState>, delivery: QueuedDelivery) {
    let switches = state.switches.read().events.clone();
    if switches.max_jitter_ms > 0 {
        let jitter_ms = rand::random_range(0..=switches.max_jitter_ms);
        sleep(Duration::from_millis(jitter_ms)).await;
    }

    let mut backoff = Duration::from_millis(switches.initial_backoff_ms);
    for attempt in 1..=switches.max_attempts {
        let subscription = state
            .events
            .subscriptions
            .lock()
            .get(&delivery.subscription_id)
            .filter(|subscription| subscription.is_enabled())
            .cloned();
        let Some(subscription) = subscription else {
            return;
        };

        let status = state
            .events
            .webhook_client
            .send(&subscription, &delivery.event, switches.format)
            .await;
        state.events.delivery_attempts.lock().push(DeliveryAttempt {
            event_id: delivery.event.id.clone(),
            event_type: delivery.event.event_type.clone(),
            organization_id: delivery.event.organization_id.clone(),
            subscription_id: subscription.id,
            attempt,
            status,
            attempted_at: state.clock.now(),
        });
        if status == Some(200) {
            return;
        }

        if attempt < switches.max_attempts {
            sleep(backoff).await;
            backoff = backoff.saturating_mul(2);
        }
    }

    state
        .events
        .subscriptions
        .lock()
        .disable(&delivery.subscription_id, state.clock.now());
}
