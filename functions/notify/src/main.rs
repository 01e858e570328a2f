//! The binary of the `notify` function: telemetry, configuration and clients.

use std::{process::ExitCode, time::Duration};

use aws_sdk_sesv2::config::retry::RetryConfig;
use content::Content;
use notify::{Config, Mailer, Notify, PauseSwitch};
use runtime::{Deadline, Environment, ErrorType, Failure, Metrics, ScheduleEvent, Secret};
use store::{Contacts, Notices, Organizations, Runs};

/// Time reserved for recording the results of the last claims.
const MARGIN: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    runtime::launch(Box::pin(start())).await
}

async fn start() -> Result<(), Failure> {
    let config = Config::read(Environment::from_process())?;
    let content =
        Content::embedded().map_err(|error| Failure::new(ErrorType::ContentInvalid, error))?;

    let aws = runtime::aws_config().await;
    // SES has no idempotency token: a repeated call could send a second e-mail.
    let ses = aws_sdk_sesv2::config::Builder::from(&aws)
        .retry_config(RetryConfig::disabled())
        .build();
    let tables = store::client(&aws);
    let secrets = aws_sdk_secretsmanager::Client::new(&aws);
    let sender = content.brand().sender(&config.from_address);
    let reply_to = content.brand().support_address.clone();

    let notify = Notify {
        notices: Notices::new(
            tables.clone(),
            config.notices_table,
            config.contacts_table.clone(),
        ),
        organizations: Organizations::new(tables.clone(), config.organizations_table),
        contacts: Contacts::new(tables.clone(), config.contacts_table),
        runs: Runs::new(tables, config.runs_table),
        content,
        mailer: Mailer::new(
            aws_sdk_sesv2::Client::from_conf(ses),
            sender,
            reply_to,
            config.configuration_set,
        ),
        pause: PauseSwitch::new(aws_sdk_ssm::Client::new(&aws), config.pause_parameter),
        token_keys: Secret::json(secrets, config.unsubscribe_keys_secret, "unsubscribe keys"),
        public_url: config.public_url,
        policy: config.policy,
        daily_send_limit: Some(config.daily_send_limit).filter(|limit| *limit > 0),
    };

    let metrics = Metrics::new("notify", config.environment);
    let (notify, run_metrics) = (&notify, &metrics);
    runtime::serve(&metrics, async move |event: serde_json::Value, context| {
        let event = ScheduleEvent::parse(&event)?;
        notify
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
