//! `make local`: a local cloud that keeps running.

use anyhow::Result;
use local_cloud::{LocalCloud, Options, Report};

use crate::{pipeline, show, steps::Steps};

/// MiniStack's port unless another one is asked for.
pub(crate) const PORT: u16 = 4566;

/// Where the AWS CLI finds it.
pub(crate) fn endpoint() -> String {
    format!("http://127.0.0.1:{PORT}")
}

/// Starts it, does one pass so that there is something to look at, and stays until it is interrupted.
pub(crate) async fn run(options: Options) -> Result<()> {
    let steps = Steps::default();
    let options = Options { progress: steps.progress(), ..options }
        .parameter("ScheduleState", "ENABLED")
        .parameter("FanOutSchedule", "rate(5 minutes)")
        .parameter("NotifySchedule", "rate(1 minute)");
    let cloud = LocalCloud::start(options).await?;
    let as_of = pipeline::now(&cloud)?;
    pipeline::run_once(&cloud, &steps, as_of).await?;

    let report = Report::collect(&cloud, as_of, 0.0).await?;
    show::stages(&report);
    show::notices(&report);
    println!("\nThe stack ({}):", cloud.endpoint());
    for (name, value) in cloud.outputs().iter() {
        println!("  {name:27} {value}");
    }
    println!("  {:27} {}", "BILL sandbox", cloud.sandbox().url());
    println!("  {:27} {}/_ministack/ses/messages", "sent e-mails", cloud.endpoint());
    show::commands(&cloud, cloud.endpoint(), "Try:")?;
    println!("\nfan-out runs every 5 minutes, notify every minute. Ctrl-C ends everything.");
    std::future::pending().await
}
