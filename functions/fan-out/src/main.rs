//! The binary of the `fan-out` function: configuration, clients and the event loop.

use std::{process::ExitCode, time::Duration};

use environment::FromEnvironment;
use fan_out::{Config, FanOut};
use runtime::{Failure, Invocation, Metrics, ScheduleEvent};

/// Time reserved for saving the record of the run.
const MARGIN: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    runtime::launch(Box::pin(start())).await
}

async fn start() -> Result<(), Failure> {
    let config = Config::from_process()?;
    let metrics = Metrics::new("fan-out", &config.environment);
    let fan_out = FanOut::new(config, &runtime::aws_config().await)?;

    let handle =
        async |event: ScheduleEvent, invocation: Invocation| fan_out.run(&event, &invocation).await;
    runtime::serve(metrics, MARGIN, handle).await
}
