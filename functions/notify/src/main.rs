//! The binary of the `notify` function: configuration, clients and the event loop.

use std::{process::ExitCode, time::Duration};

use environment::FromEnvironment;
use notify::{Config, Notify};
use runtime::{Failure, Invocation, Metrics, ScheduleEvent};

/// Time reserved for recording the results of the last claims.
const MARGIN: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    runtime::launch(Box::pin(start())).await
}

async fn start() -> Result<(), Failure> {
    let config = Config::from_process()?;
    let metrics = Metrics::new("notify", &config.environment);
    let notify = Notify::new(config, &runtime::aws_config().await)?;

    let handle =
        async |event: ScheduleEvent, invocation: Invocation| notify.run(&event, &invocation).await;
    runtime::serve(metrics, MARGIN, handle).await
}
