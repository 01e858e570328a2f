//! The binary of the `record-feedback` function: configuration, clients and the event loop.

use std::{process::ExitCode, time::Duration};

use aws_lambda_events::event::sqs::SqsEvent;
use environment::FromEnvironment;
use record_feedback::{Config, Recorder};
use runtime::{Failure, Invocation, Metrics};

/// Time reserved for the response.
const MARGIN: Duration = Duration::from_secs(2);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    runtime::launch(Box::pin(start())).await
}

async fn start() -> Result<(), Failure> {
    let config = Config::from_process()?;
    let metrics = Metrics::new("record-feedback", &config.environment);
    let recorder = Recorder::new(config, &runtime::aws_config().await);

    let handle =
        async |event: SqsEvent, invocation: Invocation| recorder.handle(event, &invocation).await;
    runtime::serve(metrics, MARGIN, handle).await
}
