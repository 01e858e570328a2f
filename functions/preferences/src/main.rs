//! The binary of the `preferences` function: telemetry, configuration and clients.

use std::process::ExitCode;

use preferences::{Config, Preferences, Responses};
use runtime::{Environment, Failure, Metrics, Secret};
use store::Contacts;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    runtime::launch(Box::pin(start())).await
}

async fn start() -> Result<(), Failure> {
    let config = Config::read(Environment::from_process())?;
    let responses = Responses::embedded()?;

    let aws = runtime::interactive_aws_config().await;
    let secrets = aws_sdk_secretsmanager::Client::new(&aws);
    let keys = Secret::json(secrets, config.unsubscribe_keys_secret, "unsubscribe keys")
        .with_shape(r#"{"current":"k1","k1":"..."}"#);

    let preferences = Preferences {
        contacts: Contacts::new(store::interactive_client(&aws), config.contacts_table),
        responses,
    };

    let metrics = Metrics::new("preferences", config.environment);
    let (preferences, keys, request_metrics) = (&preferences, &keys, &metrics);
    let handle = async move |request, _| {
        preferences
            .handle(&request, &*keys.get().await?, request_metrics)
            .await
    };
    runtime::http::serve(
        &metrics,
        |status| preferences.responses.error_response(status),
        handle,
    )
    .await
}
