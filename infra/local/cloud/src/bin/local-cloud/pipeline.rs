//! One pass of the pipeline: fan-out, until everything has drained, then notify.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use local_cloud::{Invocation, LocalCloud};
use serde_json::{Value, json};

use crate::steps::Steps;

/// The sandbox's time in the whole seconds that the functions count in.
pub(crate) fn now(cloud: &LocalCloud) -> Result<Timestamp> {
    Ok(Timestamp::from_second(cloud.sandbox().now().as_second())?)
}

/// Does a pass as of `as_of`. `Err`: a function failed, or something did not drain in time.
pub(crate) async fn run_once(cloud: &LocalCloud, steps: &Steps, as_of: Timestamp) -> Result<()> {
    sync_all(cloud, steps, as_of).await?;
    send_all(cloud, steps, as_of).await?;
    steps.end();
    Ok(())
}

async fn sync_all(cloud: &LocalCloud, steps: &Steps, as_of: Timestamp) -> Result<()> {
    let organizations = cloud.sandbox().population(as_of).len();
    let bar = steps.begin_counting("Looking at every customer in BILL", organizations);
    must_succeed(
        "fan-out",
        &cloud
            .invoke("FanOutFunction", &json!({ "time": as_of }))
            .await?,
    )?;
    let patience =
        Duration::from_mins(1) + Duration::from_millis(500) * u32::try_from(organizations)?;
    cloud
        .wait_until_drained(patience, |backlog| {
            bar.set_position((organizations as u64).saturating_sub(backlog.total()));
        })
        .await
        .context("the customers were not all looked at in time")
}

/// Starts notify until nothing is due any more, or a start changes nothing.
async fn send_all(cloud: &LocalCloud, steps: &Steps, as_of: Timestamp) -> Result<()> {
    let mut due = count_due(cloud).await?;
    let bar = steps.begin_counting("Writing to those whom a message would help", due);
    let whole = due;
    while due > 0 {
        must_succeed(
            "notify",
            &cloud
                .invoke("NotifyFunction", &json!({ "time": as_of }))
                .await?,
        )?;
        let left = count_due(cloud).await?;
        bar.set_position((whole - left.min(whole)) as u64);
        if left >= due {
            break;
        }
        due = left;
    }
    Ok(())
}

async fn count_due(cloud: &LocalCloud) -> Result<usize> {
    let notices = cloud.scan("NoticesTable").await?;
    Ok(notices
        .iter()
        .filter(|notice| notice["status"] == "due")
        .count())
}

fn must_succeed(function: &str, invocation: &Invocation) -> Result<()> {
    if invocation.function_error.is_some() {
        let error = &invocation.payload;
        let message = error
            .get("errorMessage")
            .and_then(Value::as_str)
            .map_or_else(|| error.to_string(), str::to_owned);
        bail!(
            "{function} failed: {message}\nits last words:\n{}",
            invocation.log_tail.trim()
        );
    }
    Ok(())
}
