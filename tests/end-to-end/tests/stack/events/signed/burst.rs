//! A burst of events about one organization: one message, one sync at once, one after its window.

use std::time::Duration;

use anyhow::{Result, ensure};
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use local_cloud::LocalCloud;
use reqwest::StatusCode;
use serde_json::json;
use tokio::time::sleep;

use crate::{
    events::support::{
        KEY, add_payment, count_queued, deliver, event_batch, notification,
        organization_able_to_pay, wait_for_stage,
    },
    support::{invoke_ok, now, organizations, text_attribute},
};

pub async fn burst_causes_one_sync_and_another_after_its_window(cloud: &LocalCloud) -> Result<()> {
    wait_for_a_minute_with_time_left().await;
    let id = organization_able_to_pay(cloud).await?;
    add_payment(cloud, &id)?;

    let events: Vec<_> = (0..20)
        .map(|number| notification(&id, &format!("burst-{}", number % 10)))
        .collect();
    let statuses = try_join_all(events.iter().map(|event| deliver(cloud, event, KEY))).await?;
    ensure!(
        statuses.iter().all(|status| *status == StatusCode::OK),
        "{statuses:?}"
    );
    wait_for_stage(cloud, &id, "active").await?;
    let status = deliver(cloud, &events[0], KEY).await?;
    ensure!(status == 200, "{status} for a replayed delivery");

    let queued = count_queued(cloud, &id).await?;
    ensure!(
        queued == 1,
        "{queued} messages instead of one that waits for the end of the window"
    );
    ensure!(
        organizations(cloud).await?[&id]["version"] == 2,
        "more than one sync"
    );
    message_waits_for_its_window_end(cloud, &id).await
}

/// Waits for the first third of a clock minute, so that the burst has one window even on a busy
/// machine.
async fn wait_for_a_minute_with_time_left() {
    let second = now().as_second().rem_euclid(60).unsigned_abs();
    if second > 20 {
        sleep(Duration::from_secs(61 - second)).await;
    }
}

/// SQS returns the message after its window; here it is delivered without waiting for that.
async fn message_waits_for_its_window_end(cloud: &LocalCloud, id: &str) -> Result<()> {
    let synced_at: Timestamp =
        text_attribute(&organizations(cloud).await?[id], "checked_at")?.parse()?;

    let window_end = now() + SignedDuration::from_secs(90);
    let batch = event_batch(id, synced_at, window_end);
    let response = invoke_ok(cloud, "SyncOrganizationFunction", &batch).await?;
    ensure!(
        response["batchItemFailures"]
            .as_array()
            .is_some_and(|failures| failures.len() == 1),
        "the message was deleted before its window ended: {response}"
    );
    ensure!(
        organizations(cloud).await?[id]["version"] == 2,
        "a sync before the window ended"
    );

    sleep(Duration::from_secs(6)).await; // so that the sync is older than the window end below
    let window_end = now() - SignedDuration::from_secs(4);
    let batch = event_batch(id, synced_at, window_end);
    for _ in 0..2 {
        let response = invoke_ok(cloud, "SyncOrganizationFunction", &batch).await?;
        ensure!(response["batchItemFailures"] == json!([]), "{response}");
        ensure!(
            organizations(cloud).await?[id]["version"] == 3,
            "not exactly one sync after the window ended"
        );
    }
    Ok(())
}
