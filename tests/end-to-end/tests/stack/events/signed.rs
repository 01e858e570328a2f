//! Signed events are synced at once; unsigned ones are rejected.

mod burst;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use jiff::SignedDuration;
use local_cloud::{LocalCloud, Options};
use reqwest::Method;
use sandbox::Organization;
use serde_json::{Value, json};
use tokio::time::sleep;

use self::burst::burst_causes_one_sync_and_another_after_its_window;
use super::{
    failures::event_is_not_lost_when_its_sync_fails,
    support::{
        KEY, add_payment, can_pay, count_queued, deliver, event_batch, expected_stage,
        notification, organization_able_to_pay, store_key, wait_for_stage,
    },
};
use crate::support::{
    HANG_TIMEOUT, assert_stages, invoke_ok, now, options, organizations, read_event, sweep,
};

#[tokio::test(flavor = "multi_thread")]
async fn signed_events_are_synced_at_once_and_unsigned_ones_are_rejected() -> Result<()> {
    let cloud = LocalCloud::start(Options {
        organizations: 60,
        ..options()
    })
    .await?;
    sweep(&cloud, now()).await?;

    deliveries_get_503_until_a_key_is_stored(&cloud).await?;
    only_signed_deliveries_are_queued(&cloud).await?;
    let elapsed = payment_makes_its_organization_active(&cloud).await?;
    println!("the stage changed after {elapsed:?}");
    new_organization_is_synced_at_once(&cloud).await?;
    burst_causes_one_sync_and_another_after_its_window(&cloud).await?;
    concurrent_sweep_and_events_keep_the_newest_sync(&cloud).await?;
    ensure!(
        cloud.dead_letters().await?.is_empty(),
        "messages were left in the dead-letter queue"
    );
    event_is_not_lost_when_its_sync_fails(&cloud).await
}

async fn deliveries_get_503_until_a_key_is_stored(cloud: &LocalCloud) -> Result<()> {
    let status = deliver(cloud, &notification("00802KESTREL", "e-0"), KEY).await?;
    ensure!(status == 503, "{status} without a key");

    store_key(cloud).await?;
    let event = read_event("receive-events.json")?;
    let response = invoke_ok(cloud, "ReceiveEventsFunction", &event).await?;
    ensure!(response["statusCode"] == 200, "{response}");
    Ok(())
}

async fn only_signed_deliveries_are_queued(cloud: &LocalCloud) -> Result<()> {
    let body = notification("00802FORGED", "e-1");
    let unsigned = cloud
        .api()?
        .request(Method::POST, "/bill/events")
        .body(body.clone())
        .send()
        .await?;
    ensure!(
        unsigned.status() == 401 && unsigned.text().await?.is_empty(),
        "an unsigned delivery"
    );

    let other_type = notification("00802FORGED", "e-2").replace("payment.", "invoice.");
    for (case, body, key, expected) in [
        ("a forged delivery", body, "another key", 401),
        ("an oversized delivery", " ".repeat(300_000), KEY, 413),
        ("an unparsable delivery", "hello".to_owned(), KEY, 200),
        ("another event type", other_type, KEY, 200),
    ] {
        let status = deliver(cloud, &body, key).await?;
        ensure!(status == expected, "{case}: {status}");
    }

    ensure!(
        count_queued(cloud, "00802FORGED").await? == 0,
        "a delivery that is not signed or has another event type was queued"
    );
    Ok(())
}

/// Returns how long the change of the stage took after the delivery.
async fn payment_makes_its_organization_active(cloud: &LocalCloud) -> Result<Duration> {
    let id = organization_able_to_pay(cloud).await?;
    add_payment(cloud, &id)?;

    let delivered = Instant::now();
    let status = deliver(cloud, &notification(&id, "e-3"), KEY).await?;
    ensure!(status == 200, "{status} for a signed delivery");

    wait_for_stage(cloud, &id, "active").await?;
    Ok(delivered.elapsed())
}

async fn new_organization_is_synced_at_once(cloud: &LocalCloud) -> Result<()> {
    let template = cloud
        .sandbox()
        .organization(&organization_able_to_pay(cloud).await?)
        .context("the sandbox does not have the organization")?;
    let id = "00802NEWCOMER4xd9".to_owned();
    cloud.sandbox().put_organization(Organization {
        id: Some(id.clone()),
        ..template
    });

    sync_before_window_end(cloud, &id).await?;
    let known = organizations(cloud).await?;
    let item = known
        .get(&id)
        .context("the new organization was not synced")?;
    ensure!(
        item["stage"] == expected_stage(cloud, &id)? && item["name"].is_string(),
        "{item}"
    );

    let response = sync_before_window_end(cloud, "00802NOBODY").await?;
    ensure!(
        response["batchItemFailures"] == json!([]),
        "the sync of an organization that BILL does not list is retried: {response}"
    );
    ensure!(
        !organizations(cloud).await?.contains_key("00802NOBODY"),
        "an organization that BILL does not list was stored"
    );
    Ok(())
}

/// Invokes sync-organization with an event message whose window is still open.
async fn sync_before_window_end(cloud: &LocalCloud, id: &str) -> Result<Value> {
    let window_end = now() + SignedDuration::from_secs(90);
    let batch = event_batch(id, now(), window_end);

    invoke_ok(cloud, "SyncOrganizationFunction", &batch).await
}

async fn concurrent_sweep_and_events_keep_the_newest_sync(cloud: &LocalCloud) -> Result<()> {
    let payers: Vec<String> = organizations(cloud)
        .await?
        .into_iter()
        .filter(|(_, item)| can_pay(item))
        .map(|(id, _)| id)
        .take(20)
        .collect();
    ensure!(
        payers.len() > 5,
        "only {} organizations can pay",
        payers.len()
    );

    let sweep = async {
        let event = json!({"time": now().to_string(), "all": true});
        invoke_ok(cloud, "FanOutFunction", &event).await?;
        cloud.wait_until_drained(HANG_TIMEOUT, |_| {}).await
    };
    // The payments are made during the sweep: before, during or after the organization's sync.
    let events = try_join_all(payers.iter().enumerate().map(|(number, id)| async move {
        sleep(Duration::from_millis(100) * u32::try_from(number)?).await;
        add_payment(cloud, id)?;
        deliver(cloud, &notification(id, &format!("together-{number}")), KEY).await
    }));
    futures::try_join!(sweep, events)?;

    for id in &payers {
        wait_for_stage(cloud, id, "active").await?;
    }
    assert_stages(cloud, now()).await
}
