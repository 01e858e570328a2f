//! Runs the pipeline once: fan-out, then sync until the queue is drained, then notify.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use local_cloud::{Invocation, LocalCloud};
use serde_json::{Value, json};

use crate::steps::Steps;

/// The sandbox's time, in whole seconds as the functions use it.
pub(crate) fn now(cloud: &LocalCloud) -> Result<Timestamp> {
    Ok(Timestamp::from_second(cloud.sandbox().now().as_second())?)
}

/// Runs the pipeline with `as_of` as the time of its events. `Err` means that a function failed or
/// the sync queue did not drain in time.
pub(crate) async fn run_once(cloud: &LocalCloud, steps: &Steps, as_of: Timestamp) -> Result<()> {
    sync_all(cloud, steps, as_of).await?;
    send_all(cloud, steps, as_of).await?;
    steps.end();
    Ok(())
}

async fn sync_all(cloud: &LocalCloud, steps: &Steps, as_of: Timestamp) -> Result<()> {
    let organizations = cloud.sandbox().expectations(as_of).len();
    let bar = steps.begin_counting("Syncing every customer from BILL", organizations);
    must_succeed(
        "fan-out",
        &cloud
            .invoke("FanOutFunction", &json!({ "time": as_of }))
            .await?,
    )?;

    let timeout =
        Duration::from_mins(1) + Duration::from_millis(500) * u32::try_from(organizations)?;
    cloud
        .wait_until_drained(timeout, |backlog| {
            bar.set_position((organizations as u64).saturating_sub(backlog.total()));
        })
        .await
        .context("not all customers were synced in time")
}

/// Invokes notify until no notice is due or an invocation makes no progress.
async fn send_all(cloud: &LocalCloud, steps: &Steps, as_of: Timestamp) -> Result<()> {
    let mut due = count_due(cloud).await?;
    let bar = steps.begin_counting("Sending the e-mails that are due", due);
    let total = due;

    while due > 0 {
        must_succeed(
            "notify",
            &cloud
                .invoke("NotifyFunction", &json!({ "time": as_of }))
                .await?,
        )?;
        let remaining = count_due(cloud).await?;
        bar.set_position((total - remaining.min(total)) as u64);
        if remaining >= due {
            break;
        }
        due = remaining;
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
            "{function} failed: {message}\nlast log lines:\n{}",
            invocation.log_tail.trim()
        );
    }

    Ok(())
}
