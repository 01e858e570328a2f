//! A stack of an earlier release is updated in place while it is at work.

use std::{env, path::PathBuf};

use anyhow::{Context, Result, ensure};
use jiff::SignedDuration;
use local_cloud::{LocalCloud, Options};
use serde_json::json;

use crate::support::{
    HANG_TIMEOUT, assert_stages, invoke_ok, notify, now, options, organizations, sweep,
};

const ORGANIZATIONS: usize = 200;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the build of an earlier release: make test-upgrade FROM=<git ref>"]
async fn a_running_stack_of_an_earlier_release_is_updated_in_place() -> Result<()> {
    let options = Options {
        organizations: ORGANIZATIONS,
        ..options()
    };
    let mut cloud = LocalCloud::start(Options {
        template: Some(earlier_template()?),
        ..options.clone()
    })
    .await?;
    let as_of = now();
    sweep(&cloud, as_of).await?;
    assert_stages(&cloud, as_of).await?;
    notify(&cloud, as_of).await?;
    let emails = cloud.sent_emails().await?.len();

    // The queue is full and functions are syncing when the update begins.
    let at_update = as_of + SignedDuration::from_hours(1);
    let event = json!({"time": at_update, "all": true});
    invoke_ok(&cloud, "FanOutFunction", &event).await?;
    let waiting = cloud.backlog().await?.total();
    cloud.update(&options).await?;
    cloud.wait_until_drained(HANG_TIMEOUT, |_| {}).await?;
    println!("{waiting} messages were waiting when the update began");
    ensure!(waiting > 0, "no sync was under way");

    // What the update interrupted is due, and the index gets every item.
    for hour in 2..4 {
        sweep(&cloud, as_of + SignedDuration::from_hours(hour)).await?;
    }
    assert_stages(&cloud, at_update).await?;
    let organizations = organizations(&cloud).await?;
    ensure!(organizations.len() == ORGANIZATIONS, "{organizations:?}");
    for item in organizations.values() {
        ensure!(item["check_bucket"].is_u64(), "{item}");
    }
    notify(&cloud, at_update).await?;
    ensure!(
        cloud.sent_emails().await?.len() == emails,
        "an e-mail was sent again"
    );

    let next_month = as_of + SignedDuration::from_hours(31 * 24);
    sweep(&cloud, next_month).await?;
    assert_stages(&cloud, next_month).await?;
    ensure!(
        cloud.dead_letters().await?.is_empty(),
        "messages were left in the dead-letter queue"
    );
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "`make test-upgrade` passes the template in the environment"
)]
fn earlier_template() -> Result<PathBuf> {
    let template = env::var_os("EARLIER_TEMPLATE").context("EARLIER_TEMPLATE is not set")?;

    Ok(PathBuf::from(template))
}
