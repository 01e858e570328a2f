//! The binary of the `record-feedback` function: telemetry, configuration and clients.

use std::{process::ExitCode, time::Duration};

use aws_lambda_events::event::sqs::SqsEvent;
use record_feedback::{Config, Recorder};
use runtime::{DeadLetterQueue, Deadline, Environment, Failure, Metrics, Secret};
use store::{Contacts, Notices};

/// Time reserved for the response.
const MARGIN: Duration = Duration::from_secs(2);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    runtime::launch(Box::pin(start())).await
}

async fn start() -> Result<(), Failure> {
    let config = Config::read(Environment::from_process())?;
    let aws = runtime::aws_config().await;
    let secrets = aws_sdk_secretsmanager::Client::new(&aws);
    let tables = store::client(&aws);

    let recorder = Recorder {
        notices: Notices::new(
            tables.clone(),
            config.notices_table,
            config.contacts_table.clone(),
        ),
        contacts: Contacts::new(tables, config.contacts_table),
        dead_letters: DeadLetterQueue::new(
            aws_sdk_sqs::Client::new(&aws),
            config.dead_letter_queue_url,
        ),
        address_key: Secret::text(
            secrets,
            config.address_key_secret,
            "key of the address hashes",
        ),
    };

    let metrics = Metrics::new("record-feedback", config.environment);
    let (recorder, batch_metrics) = (&recorder, &metrics);
    let handle = async move |event: SqsEvent, context| {
        recorder
            .handle(
                event,
                Deadline::from_context(&context, MARGIN),
                batch_metrics,
            )
            .await
    };
    runtime::serve(&metrics, handle).await
}
