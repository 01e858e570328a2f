//! The `preferences` function.

use std::process::ExitCode;

use preferences::{Answers, Config, Preferences};
use runtime::{Environment, Failure, Metrics, Secret};
use store::Contacts;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    runtime::launch(Box::pin(start())).await
}

async fn start() -> Result<(), Failure> {
    let config = Config::read(Environment::from_process())?;
    let answers = Answers::embedded()?;
    let aws = runtime::http::aws_config().await;
    let secrets = aws_sdk_secretsmanager::Client::new(&aws);
    let keys = Secret::json(secrets, config.unsubscribe_keys_secret, "unsubscribe keys")
        .with_shape(r#"{"current":"k1","k1":"..."}"#);
    let preferences = Preferences {
        contacts: Contacts::new(store::interactive_client(&aws), config.contacts_table),
        answers,
    };
    let metrics = Metrics::new("preferences", config.environment);
    let (preferences, keys, of_request) = (&preferences, &keys, &metrics);
    let handle = async move |request, _| {
        preferences
            .answer(&request, &*keys.get().await?, of_request)
            .await
    };
    runtime::http::serve(
        &metrics,
        |status| preferences.answers.error_response(status),
        handle,
    )
    .await
}
