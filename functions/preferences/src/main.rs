//! The binary of the `preferences` function: configuration, clients and the event loop.

use std::process::ExitCode;

use environment::FromEnvironment;
use preferences::{Config, Preferences};
use runtime::{Failure, Invocation, Metrics, http::Request};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    runtime::launch(Box::pin(start())).await
}

async fn start() -> Result<(), Failure> {
    let config = Config::from_process()?;
    let metrics = Metrics::new("preferences", &config.environment);
    let preferences = Preferences::new(config, &runtime::interactive_aws_config().await)?;

    let error_response = |status| preferences.error_response(status);
    let handle = async |request: Request, invocation: Invocation| {
        preferences.handle(&request, &invocation).await
    };
    runtime::http::serve(metrics, error_response, handle).await
}
