//! The `receive-events` function: builds the clients from the environment and serves requests.

use std::process::ExitCode;

use receive_events::{Config, EventsQueue, ReceiveEvents};
use runtime::{Environment, Failure, Metrics, Secret, clock, http::Response};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    runtime::launch(Box::pin(start())).await
}

async fn start() -> Result<(), Failure> {
    let config = Config::read(Environment::from_process())?;

    let aws = runtime::interactive_aws_config().await;
    let secrets = aws_sdk_secretsmanager::Client::new(&aws);
    let keys = Secret::json(
        secrets,
        config.webhook_keys_secret,
        "security keys of BILL's webhooks",
    )
    .with_store_command("engage webhooks create");
    let receive_events = ReceiveEvents {
        keys,
        queue: EventsQueue::new(&aws, config.events_queue_url),
    };

    let metrics = Metrics::new("receive-events", config.environment);
    let (receive_events, request_metrics) = (&receive_events, &metrics);
    let handle = async move |request, _| {
        receive_events
            .handle(&request, clock::now(), request_metrics)
            .await
    };

    runtime::http::serve(&metrics, Response::empty, handle).await
}
