//! The `record-feedback` function.

use std::{process::ExitCode, time::Duration};

use aws_lambda_events::event::sqs::SqsEvent;
use record_feedback::{Config, Recorder};
use runtime::{DeadLetterQueue, Deadline, Environment, Failure, Metrics, Secret};
use store::{Contacts, Notices};

/// Time kept back for the answer.
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
    let (recorder, of_batch) = (&recorder, &metrics);
    let handle = async move |event: SqsEvent, context| {
        recorder
            .handle(event, Deadline::of(&context, MARGIN), of_batch)
            .await
    };
    runtime::serve(&metrics, handle).await
}
