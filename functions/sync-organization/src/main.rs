//! The binary of the `sync-organization` function: configuration, clients and the event loop.

use std::{process::ExitCode, sync::Arc, time::Duration};

use aws_lambda_events::event::sqs::SqsEvent;
use runtime::{DeadLetterQueue, Deadline, Environment, Failure, Metrics, Secret};
use store::{DecisionTables, DecisionWriter, Organizations, Runs};
use sync_organization::{Config, Sync};

/// Time reserved for correcting the budget and responding.
const MARGIN: Duration = Duration::from_secs(3);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    runtime::launch(Box::pin(start())).await
}

async fn start() -> Result<(), Failure> {
    let config = Config::read(Environment::from_process())?;
    let rules = sync_organization::rules()?;
    let aws = runtime::aws_config().await;
    let (bill, credentials) =
        bill_connection::connect(&aws, config.bill_base_url, config.bill_credentials_secret)?;

    let secrets = aws_sdk_secretsmanager::Client::new(&aws);
    let tables = store::client(&aws);
    let (organizations, transitions, notices) = (
        config.organizations_table,
        config.transitions_table,
        config.notices_table,
    );
    let sync = Sync {
        bill,
        credentials,
        organizations: Organizations::new(tables.clone(), organizations.clone()),
        decisions: DecisionWriter::new(
            tables.clone(),
            DecisionTables {
                organizations,
                transitions,
                notices,
            },
        ),
        runs: Runs::new(tables, config.runs_table),
        dead_letters: DeadLetterQueue::new(
            aws_sdk_sqs::Client::new(&aws),
            config.dead_letter_queue_url,
        ),
        address_key: Secret::text(
            secrets,
            config.address_key_secret,
            "key of the address hashes",
        ),
        rules: Arc::new(rules),
        limits: config.limits,
    };

    let metrics = Metrics::new("sync-organization", config.environment);
    let (sync, batch_metrics) = (&sync, &metrics);
    let handle = async move |event: SqsEvent, context| {
        sync.handle(
            event,
            Deadline::from_context(&context, MARGIN),
            batch_metrics,
        )
        .await
    };
    runtime::serve(&metrics, handle).await
}
