//! The binary of the `fan-out` function: configuration, clients and the event loop.

use std::{process::ExitCode, time::Duration};

use fan_out::{Config, FanOut, SyncQueue};
use runtime::{Deadline, Environment, Failure, Metrics, ScheduleEvent};
use store::{Organizations, Runs};

/// Time reserved for saving the record of the run.
const MARGIN: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    runtime::launch(Box::pin(start())).await
}

async fn start() -> Result<(), Failure> {
    let config = Config::read(Environment::from_process())?;
    let aws = runtime::aws_config().await;
    let (bill, credentials) =
        bill_connection::connect(&aws, config.bill_base_url, config.bill_credentials_secret)?;

    let tables = store::client(&aws);
    let fan_out = FanOut {
        bill,
        credentials,
        organizations: Organizations::new(tables.clone(), config.organizations_table),
        runs: Runs::new(tables, config.runs_table),
        queue: SyncQueue::new(aws_sdk_sqs::Client::new(&aws), config.sync_queue_url),
        limits: config.limits,
    };

    let metrics = Metrics::new("fan-out", config.environment);
    let (fan_out, run_metrics) = (&fan_out, &metrics);
    runtime::serve(&metrics, async move |event: serde_json::Value, context| {
        let event = ScheduleEvent::parse(&event)?;
        fan_out
            .run(
                &event,
                &context.request_id,
                Deadline::from_context(&context, MARGIN),
                run_metrics,
            )
            .await
    })
    .await
}
