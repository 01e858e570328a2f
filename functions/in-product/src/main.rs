//! The `in-product` function: builds the clients from the environment and serves requests.

use std::process::ExitCode;

use content::Content;
use in_product::{Config, InProduct, error_response};
use runtime::{Environment, ErrorType, Failure, Metrics};
use store::{Dismissals, Organizations};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    runtime::launch(Box::pin(start())).await
}

async fn start() -> Result<(), Failure> {
    let config = Config::read(Environment::from_process())?;
    let content =
        Content::embedded().map_err(|error| Failure::new(ErrorType::ContentInvalid, error))?;

    let tables = store::interactive_client(&runtime::interactive_aws_config().await);
    let in_product = InProduct {
        organizations: Organizations::new(tables.clone(), config.organizations_table),
        dismissals: Dismissals::new(tables, config.notices_table),
        content,
    };

    let metrics = Metrics::new("in-product", config.environment);
    let (in_product, request_metrics) = (&in_product, &metrics);
    let handle = async move |request, _| in_product.handle(&request, request_metrics).await;

    runtime::http::serve(&metrics, error_response, handle).await
}
