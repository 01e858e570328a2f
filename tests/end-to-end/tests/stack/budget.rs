//! The hourly budget of BILL requests: the sweep stops when it is spent and resumes in the next
//! hour.

use anyhow::{Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use local_cloud::{LocalCloud, Options};

use crate::support::{
    HANG_TIMEOUT, assert_stages, count_synced_before, load_stack, now, options, organizations,
    sweep, text_attribute,
};

/// More hours than any sweep of this test needs.
const MAX_RUNS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn sweep_resumes_after_the_hourly_budget_is_spent() -> Result<()> {
    let cloud = LocalCloud::start(Options {
        organizations: 230,
        bill_requests_per_hour: 600,
        ..options()
    })
    .await?;

    first_sweep_stops_at_the_budget_and_later_ones_finish(&cloud).await?;
    replay_continues_in_the_next_hour(&cloud).await?;

    ensure!(
        cloud.dead_letters().await?.is_empty(),
        "messages were left in the dead-letter queue"
    );
    Ok(())
}

async fn first_sweep_stops_at_the_budget_and_later_ones_finish(cloud: &LocalCloud) -> Result<()> {
    let as_of = now();
    let first = sweep(cloud, as_of).await?;

    ensure!(first["outcome"] == "budget_spent", "{first}");
    let requests = cloud.sandbox().statistics().requests;
    ensure!(requests <= 600, "{requests} requests");
    let known = organizations(cloud).await?.len();
    ensure!(
        known > 20 && known < 230,
        "{known} organizations after the first hour"
    );

    let mut runs = 1;
    while organizations(cloud).await?.len() < 230 {
        ensure!(runs < MAX_RUNS, "the sweep makes no progress");
        reset_hourly_budget(cloud).await?;
        sweep(cloud, as_of).await?;
        runs += 1;
    }

    assert_stages(cloud, as_of).await?;
    let synced_twice = organizations(cloud)
        .await?
        .into_values()
        .filter(|item| item["version"] != 1)
        .count();
    ensure!(
        synced_twice == 0,
        "{synced_twice} organizations were synced twice"
    );
    Ok(())
}

async fn replay_continues_in_the_next_hour(cloud: &LocalCloud) -> Result<()> {
    reset_hourly_budget(cloud).await?;
    let as_of = now();
    let replayed = load_stack(cloud)
        .await?
        .replay()?
        .run(as_of, |_| {})
        .await?;
    ensure!(
        replayed.made_due.organizations == 230 && replayed.made_due.made_due == 230,
        "{replayed:?}"
    );
    ensure!(
        replayed.fan_out.outcome == "budget_spent" && replayed.fan_out.queued < 230,
        "{replayed:?}"
    );

    cloud.wait_until_drained(HANG_TIMEOUT, |_| {}).await?;
    let unsynced = count_synced_before(cloud, as_of).await?;
    ensure!(unsynced > 0, "one hour was enough for all organizations");

    let mut runs = 1;
    while count_synced_before(cloud, as_of).await? > 0 {
        ensure!(runs < MAX_RUNS, "the replay makes no progress");
        reset_hourly_budget(cloud).await?;
        sweep(cloud, now()).await?;
        runs += 1;
    }

    let not_synced_once = organizations(cloud)
        .await?
        .into_values()
        .filter(|item| item["version"] != 2)
        .count();
    ensure!(
        not_synced_once == 0,
        "{not_synced_once} organizations were not synced exactly once"
    );
    assert_stages(cloud, now()).await
}

/// Deletes the counters of requests, as if a new clock hour had begun.
async fn reset_hourly_budget(cloud: &LocalCloud) -> Result<()> {
    for item in cloud.scan("RunsTable").await? {
        let run = text_attribute(&item, "run")?;
        if run.starts_with("budget#") {
            cloud
                .dynamodb()
                .delete_item()
                .table_name(cloud.output("RunsTable")?)
                .key("run", AttributeValue::S(run))
                .send()
                .await?;
        }
    }
    Ok(())
}
