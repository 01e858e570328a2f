//! The binary of the `sync-organization` function: configuration, clients and the event loop.

use std::{process::ExitCode, time::Duration};

use aws_lambda_events::event::sqs::SqsEvent;
use environment::FromEnvironment;
use runtime::{Failure, Invocation, Metrics};
use sync_organization::{Config, Sync};

/// Time reserved for correcting the budget and responding.
const MARGIN: Duration = Duration::from_secs(3);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    runtime::launch(Box::pin(start())).await
}

async fn start() -> Result<(), Failure> {
    let config = Config::from_process()?;
    let metrics = Metrics::new("sync-organization", &config.environment);
    let sync = Sync::new(config, &runtime::aws_config().await)?;

    let handle =
        async |event: SqsEvent, invocation: Invocation| sync.handle(event, &invocation).await;
    runtime::serve(metrics, MARGIN, handle).await
}
