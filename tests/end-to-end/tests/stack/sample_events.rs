//! The sample events of `tests/events`, which `sam local invoke` uses, against the deployed
//! functions.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Result, ensure};
use local_cloud::{LocalCloud, Options};
use serde_json::{Value, json};

use crate::support::{HANG_TIMEOUT, invoke_ok, logs, options, organizations, read_event};

#[tokio::test(flavor = "multi_thread")]
async fn sample_events_are_handled_by_the_deployed_functions() -> Result<()> {
    let cloud = LocalCloud::start(Options {
        organizations: 5,
        ..options()
    })
    .await?;

    sync_organization_accepts_its_events(&cloud).await?;
    fan_out_accepts_its_events(&cloud).await?;
    let response = invoke_with(&cloud, "NotifyFunction", "notify.json").await?;
    ensure!(response["outcome"] == "completed", "{response}");
    record_feedback_accepts_its_event(&cloud).await?;
    preferences_rejects_the_unknown_token(&cloud).await?;
    in_product_does_not_know_the_organization(&cloud).await?;
    receive_events_has_no_key(&cloud).await?;
    every_function_emits_metrics(&cloud).await
}

async fn invoke_with(cloud: &LocalCloud, function: &str, event: &str) -> Result<Value> {
    invoke_ok(cloud, function, &read_event(event)?).await
}

async fn sync_organization_accepts_its_events(cloud: &LocalCloud) -> Result<()> {
    for event in ["sync-organization.json", "sync-organization-mixed.json"] {
        let response = invoke_with(cloud, "SyncOrganizationFunction", event).await?;
        ensure!(
            response == json!({"batchItemFailures": []}),
            "{event}: {response}"
        );
    }

    let stages: BTreeMap<_, _> = organizations(cloud)
        .await?
        .into_iter()
        .map(|(id, item)| (id, item["stage"].clone()))
        .collect();
    ensure!(
        stages.len() == 2 && stages.values().all(|stage| stage == "closed"),
        "{stages:?}"
    );
    ensure!(
        cloud.dead_letters().await?.len() == 1,
        "the poison record is not in the dead-letter queue"
    );
    Ok(())
}

async fn fan_out_accepts_its_events(cloud: &LocalCloud) -> Result<()> {
    let response = invoke_with(cloud, "FanOutFunction", "fan-out.json").await?;
    ensure!(
        response["outcome"] == "completed" && response["new"] == 5,
        "{response}"
    );
    cloud.wait_until_drained(HANG_TIMEOUT, |_| {}).await?;

    tokio::time::sleep(Duration::from_secs(1)).await; // times have whole seconds
    let response = invoke_with(cloud, "FanOutFunction", "fan-out-all.json").await?;
    ensure!(
        response["made_due"] == 7 && response["queued"] == 7,
        "not all of the five and of those in the messages: {response}"
    );
    Ok(())
}

async fn record_feedback_accepts_its_event(cloud: &LocalCloud) -> Result<()> {
    let response = invoke_with(cloud, "RecordFeedbackFunction", "record-feedback.json").await?;
    ensure!(response == json!({"batchItemFailures": []}), "{response}");

    let dead_letters = cloud.messages("FeedbackDeadLetterQueueUrl").await?;
    ensure!(
        dead_letters.len() == 1
            && dead_letters[0]
                .body
                .contains("22222222-2222-4222-8222-222222222222"),
        "{dead_letters:?}"
    );
    Ok(())
}

async fn preferences_rejects_the_unknown_token(cloud: &LocalCloud) -> Result<()> {
    for event in ["preferences-get.json", "preferences-one-click.json"] {
        let response = invoke_with(cloud, "PreferencesFunction", event).await?;
        ensure!(response["statusCode"] == 404, "{event}: {response}");
    }
    Ok(())
}

async fn in_product_does_not_know_the_organization(cloud: &LocalCloud) -> Result<()> {
    for event in ["in-product-get.json", "in-product-dismiss.json"] {
        let response = invoke_with(cloud, "InProductFunction", event).await?;
        ensure!(response["statusCode"] == 404, "{event}: {response}");
    }
    Ok(())
}

async fn receive_events_has_no_key(cloud: &LocalCloud) -> Result<()> {
    let response = invoke_with(cloud, "ReceiveEventsFunction", "receive-events.json").await?;
    ensure!(response["statusCode"] == 503, "{response}");
    Ok(())
}

async fn every_function_emits_metrics(cloud: &LocalCloud) -> Result<()> {
    let logs = logs(cloud).await?;
    for function in [
        "fan-out",
        "sync-organization",
        "notify",
        "record-feedback",
        "preferences",
        "in-product",
        "receive-events",
    ] {
        let is_metrics = |line: &String| {
            line.contains("\"_aws\"") && line.contains(&format!("\"function\":\"{function}\""))
        };
        ensure!(logs.iter().any(is_metrics), "{function} emitted no metrics");
    }
    Ok(())
}
