//! The `in-product` function.

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
    let tables = store::interactive_client(&runtime::http::aws_config().await);
    let organizations = Organizations::new(tables.clone(), config.organizations_table);
    let in_product = InProduct {
        organizations,
        dismissals: Dismissals::new(tables, config.notices_table),
        content,
    };
    let metrics = Metrics::new("in-product", config.environment);
    let (in_product, of_request) = (&in_product, &metrics);
    let handle = async move |request, _| in_product.answer(&request, of_request).await;
    runtime::http::serve(&metrics, error_response, handle).await
}
