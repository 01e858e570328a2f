//! Helpers of the webhook tests: signed deliveries, event messages, queue and stages.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bill::events::SecurityKey;
use jiff::Timestamp;
use local_cloud::LocalCloud;
use reqwest::{Method, StatusCode};
use sandbox::{EventSwitches, ManualEvent, OrganizationPatch, PaymentSeries, Switches};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::{HANG_TIMEOUT, now, organizations, text_attribute};

/// The key of the test vector, with which `tests/events/receive-events.json` is signed.
pub const KEY: &str = "fake-security-key-3b1f";

/// Stores [`KEY`] in the stack's secret.
pub async fn store_key(cloud: &LocalCloud) -> Result<()> {
    let keys = json!({ "current": KEY, "previous": "" }).to_string();
    cloud
        .secrets()
        .put_secret_value()
        .secret_id(cloud.output("WebhookKeysSecret")?)
        .secret_string(keys)
        .send()
        .await?;
    Ok(())
}

/// The signature that BILL sends with a body.
pub fn sign(key: &str, body: &[u8]) -> Result<String> {
    let key = SecurityKey::new(key.to_owned()).context("an empty key")?;

    Ok(key.sign(body))
}

/// Delivers a body signed with a key, and returns the status of the response.
pub async fn deliver(cloud: &LocalCloud, body: &str, key: &str) -> Result<StatusCode> {
    let response = cloud
        .api()?
        .request(Method::POST, "/bill/events")
        .header("x-bill-sha-signature", sign(key, body.as_bytes())?)
        .header("content-type", "application/json")
        .body(body.to_owned())
        .send()
        .await?;

    Ok(response.status())
}

/// The body of a payment event about an organization.
pub fn notification(organization: &str, event_id: &str) -> String {
    let metadata = json!({
        "eventId": event_id,
        "organizationId": organization,
        "eventType": "payment.updated",
        "version": "1",
    });

    json!({"metadata": metadata, "payment": {"status": "SCHEDULED"}}).to_string()
}

/// A batch of the events queue with one message about an organization. `events_until` is the end of
/// the message's event window.
pub fn event_batch(organization: &str, as_of: Timestamp, events_until: Timestamp) -> Value {
    let body = json!({
        "schema_version": 1,
        "run_id": "event#test",
        "organization": {"id": organization, "archived": false},
        "all": true,
        "as_of": as_of.to_string(),
        "events_until": events_until.to_string(),
    });

    json!({"Records": [{
        "messageId": "1",
        "body": body.to_string(),
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:events.fifo",
        "awsRegion": "us-east-1",
    }]})
}

/// The number of messages about an organization in the events queue.
pub async fn count_queued(cloud: &LocalCloud, organization: &str) -> Result<usize> {
    let messages = cloud.queued_events().await?;

    Ok(messages
        .iter()
        .filter(|message| message.body.contains(organization))
        .count())
}

/// Waits until an organization has a stage.
pub async fn wait_for_stage(cloud: &LocalCloud, id: &str, stage: &str) -> Result<()> {
    let started = Instant::now();

    loop {
        let found = text_attribute(&organizations(cloud).await?[id], "stage")?;
        if found == stage {
            return Ok(());
        }
        if started.elapsed() > HANG_TIMEOUT {
            bail!(
                "{id} is still in {found}; {:?}",
                cloud.logs("SyncOrganizationFunction").await?.last()
            );
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// The stage that the sandbox expects of an organization now.
pub fn expected_stage(cloud: &LocalCloud, id: &str) -> Result<String> {
    let expectation = cloud
        .sandbox()
        .expectations(now())
        .into_iter()
        .find(|it| it.organization_id.as_deref() == Some(id));

    expectation
        .and_then(|it| it.expected_stage)
        .with_context(|| format!("no stage is expected of {id}"))
}

/// Sets how often the sandbox delivers an event before it disables the subscription. Each backoff
/// is twice the one before.
pub fn set_delivery_retries(cloud: &LocalCloud, max_attempts: u32, initial_backoff_ms: u64) {
    let events = EventSwitches {
        max_attempts,
        initial_backoff_ms,
        ..EventSwitches::default()
    };

    cloud.sandbox().set_switches(Switches {
        events,
        ..Switches::default()
    });
}

/// Lets the sandbox publish an event about an organization whose data have not changed.
pub fn publish_payment_failed(cloud: &LocalCloud, organization: &str) -> Result<()> {
    let event = ManualEvent {
        organization_id: organization.to_owned(),
        event_type: "payment.failed".to_owned(),
    };
    ensure!(
        cloud.sandbox().publish_event(&event),
        "the sandbox does not have {organization}"
    );
    Ok(())
}

/// The id of an organization that a payment makes active, and that was synced once.
pub async fn organization_able_to_pay(cloud: &LocalCloud) -> Result<String> {
    let organizations = organizations(cloud).await?;

    organizations
        .into_iter()
        .find(|(_, item)| can_pay(item) && item["version"] == 1)
        .map(|(id, _)| id)
        .context("no organization can pay")
}

/// Whether a payment makes an organization active.
pub fn can_pay(item: &Value) -> bool {
    [
        "awaiting_first_payment",
        "dormant_30",
        "dormant_60",
        "dormant_90",
    ]
    .into_iter()
    .any(|stage| item["stage"] == stage)
}

/// Adds a payment at the current time in the sandbox.
pub fn add_payment(cloud: &LocalCloud, id: &str) -> Result<()> {
    let payment = PaymentSeries {
        newest_at: now(),
        count: 1,
        ..PaymentSeries::default()
    };
    let change = OrganizationPatch {
        add_payments: vec![payment],
        ..OrganizationPatch::default()
    };
    ensure!(
        cloud.sandbox().patch_organization(id, change),
        "the sandbox does not have {id}"
    );
    Ok(())
}
