//! `make local`: a local cloud that keeps running.

use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use local_cloud::{ExampleProduct, LocalCloud, Options, Report};
use tokio::net::TcpListener;

use crate::{pipeline, show, steps::Steps};

/// MiniStack's port unless another one is asked for.
pub(crate) const PORT: u16 = 4566;

/// The example product's port unless another one is asked for.
pub(crate) const PRODUCT_PORT: u16 = 4580;

/// Where the AWS CLI finds it.
pub(crate) fn endpoint() -> String {
    format!("http://127.0.0.1:{PORT}")
}

/// Starts it, does one pass so that there is something to look at, and stays until it is
/// interrupted.
pub(crate) async fn run(options: Options, product_port: u16) -> Result<()> {
    let product = TcpListener::bind((Ipv4Addr::LOCALHOST, product_port))
        .await
        .with_context(|| format!("port {product_port} is in use: stop what uses it, or choose another one with --product-port"))?;
    let steps = Steps::default();
    let options = Options {
        progress: steps.progress(),
        ..options
    }
    .parameter("ScheduleState", "ENABLED")
    .parameter("FanOutSchedule", "rate(5 minutes)")
    .parameter("NotifySchedule", "rate(1 minute)");
    let cloud = LocalCloud::start(options).await?;
    let as_of = pipeline::now(&cloud)?;
    pipeline::run_once(&cloud, &steps, as_of).await?;

    let product = ExampleProduct::start(&cloud, product)?;

    let report = Report::collect(&cloud, as_of, 0.0).await?;
    show::stages(&report);
    show::notices(&report);
    println!("\nThe stack ({}):", cloud.endpoint());
    for (name, value) in cloud.outputs().iter() {
        println!("  {name:27} {value}");
    }
    println!("  {:27} {}", "BILL sandbox", cloud.sandbox().url());
    println!(
        "  {:27} {}/_ministack/ses/messages",
        "sent e-mails",
        cloud.endpoint()
    );
    println!("  {:27} {}", "example of your product", product.url());
    show::commands(&cloud, cloud.endpoint(), "Try:")?;
    println!("\nfan-out runs every 5 minutes, notify every minute. Ctrl-C ends everything.");
    std::future::pending().await
}
