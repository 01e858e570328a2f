//! The hour's budget of BILL requests: the sweep stops where it ends, and goes on from there.

use anyhow::{Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use local_cloud::{LocalCloud, Options};

use crate::{
    events::engage,
    support::{
        PATIENCE, assert_stages, count_synced_before, now, options, organizations, sweep, text,
    },
};

#[tokio::test(flavor = "multi_thread")]
async fn sweep_resumes_after_the_hourly_budget_is_spent() -> Result<()> {
    let cloud = LocalCloud::start(Options {
        organizations: 230,
        bill_requests_per_hour: 600,
        ..options()
    })
    .await?;
    let as_of = now();
    let first = sweep(&cloud, as_of).await?;
    ensure!(first["outcome"] == "budget_spent", "{first}");
    ensure!(
        cloud.sandbox().statistics().requests <= 600,
        "{} requests",
        cloud.sandbox().statistics().requests
    );
    let known = organizations(&cloud).await?.len();
    ensure!(
        known > 20 && known < 230,
        "{known} organizations after the first hour"
    );

    let mut runs = 1;
    while organizations(&cloud).await?.len() < 230 {
        ensure!(runs < 8, "the sweep makes no progress");
        reset_hourly_budget(&cloud).await?;
        sweep(&cloud, as_of).await?;
        runs += 1;
    }
    assert_stages(&cloud, as_of).await?;
    let synced_twice = organizations(&cloud)
        .await?
        .into_values()
        .filter(|item| item["version"] != 1)
        .count();
    ensure!(
        synced_twice == 0,
        "{synced_twice} organizations were looked at twice"
    );
    replay_continues_in_the_next_hour(&cloud).await?;
    ensure!(
        cloud.dead_letters().await?.is_empty(),
        "messages were left in the dead-letter queue"
    );
    Ok(())
}

async fn replay_continues_in_the_next_hour(cloud: &LocalCloud) -> Result<()> {
    reset_hourly_budget(cloud).await?;
    let at = now();
    let replayed = engage::stack(cloud)
        .await?
        .replay()?
        .run(at, |_| {})
        .await?;
    ensure!(
        replayed.made_due.organizations == 230 && replayed.made_due.made_due == 230,
        "{replayed:?}"
    );
    ensure!(
        replayed.begun.outcome == "budget_spent" && replayed.begun.queued < 230,
        "{replayed:?}"
    );
    cloud.wait_until_drained(PATIENCE, |_| {}).await?;
    let unsynced = count_synced_before(cloud, at).await?;
    ensure!(unsynced > 0, "one hour was enough for all");

    let mut runs = 1;
    while count_synced_before(cloud, at).await? > 0 {
        ensure!(runs < 8, "the replay makes no progress");
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
        "{not_synced_once} organizations were not looked at exactly once"
    );
    assert_stages(cloud, now()).await
}

/// What the beginning of a clock hour does: the counter starts again.
async fn reset_hourly_budget(cloud: &LocalCloud) -> Result<()> {
    for item in cloud.scan("RunsTable").await? {
        let run = text(&item, "run")?;
        if run.starts_with("budget#") {
            let table = cloud.output("RunsTable")?;
            cloud
                .dynamodb()
                .delete_item()
                .table_name(table)
                .key("run", AttributeValue::S(run))
                .send()
                .await?;
        }
    }
    Ok(())
}
