//! Crashes of sync-organization and fan-out.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, ensure};
use content::Content;
use engagement::Stage;
use jiff::{SignedDuration, Timestamp};
use local_cloud::{LocalCloud, Options};
use serde_json::{Value, json};

use super::crash_point::{CrashPoint, invoke_and_crash_at, single_record_batch};
use crate::support::{invoke_ok, now, options, organizations};

#[tokio::test(flavor = "multi_thread")]
async fn crash_at_any_side_effect_of_a_sweep_still_syncs_each_organization_once() -> Result<()> {
    let cloud = LocalCloud::start(Options {
        organizations: 25,
        fault_proxy: true,
        ..options()
    })
    .await?;
    let begin = now();

    crash_sync_organization(&cloud, begin).await?;
    crash_fan_out(&cloud, begin).await
}

/// Syncs another organization for each crash point.
async fn crash_sync_organization(cloud: &LocalCloud, as_of: Timestamp) -> Result<()> {
    let content = Content::embedded()?;
    let mut customers = cloud
        .sandbox()
        .expectations(as_of)
        .into_iter()
        .filter(|it| !it.expected_recipients.is_empty());
    let mut crashes = Vec::new();

    for crash_point in CrashPoint::all() {
        let customer = customers.next().context("too few customers")?;
        let id = customer
            .organization_id
            .context("a customer without an id")?;
        let stage: Stage = customer.expected_stage.context("no stage")?.parse()?;
        let is_due_at_once = content
            .rules()
            .campaigns
            .for_stage(stage)
            .is_some_and(|campaign| campaign.steps[0].after.is_zero());
        let expected_notices = if is_due_at_once {
            customer.expected_recipients.len()
        } else {
            0
        };

        let request = json!({
            "schema_version": 1,
            "run_id": "crashes",
            "organization": {"id": id, "name": "Kestrel", "archived": false},
            "as_of": as_of,
        });
        let batch = single_record_batch("sync-organization.json", &request.to_string())?;
        let crashed_at =
            invoke_and_crash_at(cloud, "SyncOrganizationFunction", &batch, crash_point).await?;
        for _ in 0..2 {
            let response = invoke_ok(cloud, "SyncOrganizationFunction", &batch).await?;
            ensure!(response == json!({"batchItemFailures": []}), "{response}");
        }

        assert_synced_once(cloud, &id, stage, expected_notices)
            .await
            .with_context(|| format!("{crash_point:?} of {crashed_at:?}"))?;
        let Some(crashed_at) = crashed_at else { break };
        crashes.push(crashed_at);
    }

    ensure!(
        crashes
            .iter()
            .any(|operation| operation == "dynamodb.TransactWriteItems"),
        "sync-organization never crashed at its transaction: {crashes:?}"
    );
    Ok(())
}

async fn assert_synced_once(
    cloud: &LocalCloud,
    id: &str,
    stage: Stage,
    expected_notices: usize,
) -> Result<()> {
    let item = organizations(cloud)
        .await?
        .remove(id)
        .context("the organization was not synced")?;
    ensure!(
        item["stage"] == stage.to_string() && item["version"] == 1,
        "{item}"
    );

    let transitions = count_items_of(cloud, "TransitionsTable", id).await?;
    ensure!(transitions == 1, "{transitions} transitions");
    let notices = count_items_of(cloud, "NoticesTable", id).await?;
    ensure!(
        notices == expected_notices,
        "{notices} notices, expected {expected_notices}"
    );
    Ok(())
}

/// The number of an organization's items in a table.
async fn count_items_of(cloud: &LocalCloud, table: &str, id: &str) -> Result<usize> {
    let items = cloud.scan(table).await?;

    Ok(items
        .iter()
        .filter(|item| item["organization_id"] == id)
        .count())
}

/// Syncs all organizations for each crash point, each time an hour later.
async fn crash_fan_out(cloud: &LocalCloud, begin: Timestamp) -> Result<()> {
    let mut crashes = Vec::new();

    for (case, crash_point) in (1..).zip(CrashPoint::all()) {
        let before = organizations(cloud).await?;
        let as_of = begin + SignedDuration::from_hours(case);
        let event = json!({"time": as_of, "all": true});

        let crashed_at = invoke_and_crash_at(cloud, "FanOutFunction", &event, crash_point).await?;
        for _ in 0..2 {
            invoke_ok(cloud, "FanOutFunction", &event).await?;
        }
        cloud
            .wait_until_drained(Duration::from_mins(2), |_| {})
            .await?;

        assert_all_synced_once(cloud, &before, as_of)
            .await
            .with_context(|| format!("{crash_point:?} of {crashed_at:?} at {as_of}"))?;
        let Some(crashed_at) = crashed_at else { break };
        crashes.push(crashed_at);
    }

    ensure!(
        crashes
            .iter()
            .any(|operation| operation == "sqs.SendMessageBatch"),
        "fan-out never crashed while it sent messages: {crashes:?}"
    );
    ensure!(
        cloud.dead_letters().await?.is_empty(),
        "messages were left in the dead-letter queue"
    );
    Ok(())
}

async fn assert_all_synced_once(
    cloud: &LocalCloud,
    before: &BTreeMap<String, Value>,
    as_of: Timestamp,
) -> Result<()> {
    let after = organizations(cloud).await?;
    ensure!(after.len() == 25, "{} organizations", after.len());

    for (id, item) in &after {
        let version_before = before
            .get(id)
            .and_then(|item| item["version"].as_u64())
            .unwrap_or_default();
        let is_synced_once = item["checked_at"] == json!(as_of)
            && item["version"].as_u64() == Some(version_before + 1);
        ensure!(is_synced_once, "{item}");
    }
    Ok(())
}
