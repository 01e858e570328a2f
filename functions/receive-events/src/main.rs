//! The binary of the `receive-events` function: configuration, clients and the event loop.

use std::process::ExitCode;

use environment::FromEnvironment;
use receive_events::{Config, ReceiveEvents};
use runtime::{
    Failure, Invocation, Metrics,
    http::{Request, Response},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    runtime::launch(Box::pin(start())).await
}

async fn start() -> Result<(), Failure> {
    let config = Config::from_process()?;
    let metrics = Metrics::new("receive-events", &config.environment);
    let receive_events = ReceiveEvents::new(config, &runtime::interactive_aws_config().await);

    let handle = async |request: Request, invocation: Invocation| {
        receive_events.handle(&request, &invocation).await
    };
    runtime::http::serve(metrics, Response::empty, handle).await
}
