//! The binary of the `in-product` function: configuration, clients and the event loop.

use std::process::ExitCode;

use environment::FromEnvironment;
use in_product::{Config, InProduct, error_response};
use runtime::{Failure, Invocation, Metrics, http::Request};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    runtime::launch(Box::pin(start())).await
}

async fn start() -> Result<(), Failure> {
    let config = Config::from_process()?;
    let metrics = Metrics::new("in-product", &config.environment);
    let in_product = InProduct::new(config, &runtime::interactive_aws_config().await)?;

    let handle = async |request: Request, invocation: Invocation| {
        in_product.handle(&request, &invocation).await
    };
    runtime::http::serve(metrics, error_response, handle).await
}
