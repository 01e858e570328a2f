//! `local-cloud run` (`make local`): a local cloud that keeps running.

use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use local_cloud::{ExampleProduct, LocalCloud, Options, Report};
use tokio::net::TcpListener;

use crate::{pipeline, show, steps::Steps};

/// Default port of MiniStack.
pub(crate) const PORT: u16 = 4566;

/// Default port of the example product.
pub(crate) const PRODUCT_PORT: u16 = 4580;

/// MiniStack's URL at the default port.
pub(crate) fn default_endpoint() -> String {
    format!("http://127.0.0.1:{PORT}")
}

/// Starts the local cloud and the example product, runs the pipeline once so that the tables have
/// content, and keeps running until the future is dropped. `Err` means that a part did not start or
/// the pipeline failed.
pub(crate) async fn run(options: Options, product_port: u16) -> Result<()> {
    let product = TcpListener::bind((Ipv4Addr::LOCALHOST, product_port))
        .await
        .with_context(|| {
            format!(
                "port {product_port} is in use: stop the program that uses it or choose another \
                 port with --product-port"
            )
        })?;

    let steps = Steps::default();
    let options = Options {
        on_progress: steps.callback(),
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
    show::print_stages(&report);
    show::print_notices(&report);

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
    println!("  {:27} {}", "example product", product.url());
    show::print_example_queries(&cloud, cloud.endpoint(), "Try:")?;
    println!("\nfan-out runs every 5 minutes, notify every minute. Press Ctrl-C to stop.");

    std::future::pending().await
}
