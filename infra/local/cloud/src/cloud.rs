//! The whole local cloud, and what a test or a demonstration does with it.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_lambda::{config::Credentials, primitives::Blob, types::LogType};
use aws_sdk_sqs::types::QueueAttributeName;
use sandbox::{Population, Sandbox};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::{
    api::Api,
    deployment::{self, Outputs},
    events,
    fault_proxy::FaultProxy,
    logs,
    mails::{self, SentEmail},
    ministack::{self, MiniStack, REGION},
    options::Options,
    queue::{self, Backlog, QueuedMessage},
    tables,
};

/// MiniStack, a sandbox and the deployed stack. All of it ends when this is dropped.
pub struct LocalCloud {
    sandbox: Sandbox,
    outputs: Outputs,
    clients: Clients,
    ministack: MiniStack,
}

/// What a function answered.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The answer, or the error's `errorType` and `errorMessage`.
    pub payload: Value,
    /// Set when the function failed.
    pub function_error: Option<String>,
    /// The last 4 KB of what it logged.
    pub log_tail: String,
}

impl LocalCloud {
    /// Starts everything. `Err` says which part did not come up and what to do about it; nothing is
    /// left running.
    pub async fn start(options: Options) -> Result<Self> {
        let tell = &options.progress;
        tell("Starting MiniStack");
        let ministack = MiniStack::start(&options).await?;
        tell(&format!(
            "Starting the BILL sandbox with {} customers",
            options.organizations
        ));
        let sandbox = Sandbox::start(sandbox_options(&options))
            .await
            .context("cannot start the BILL sandbox")?;
        tell("Deploying infra/template.yaml with sam deploy");
        let outputs = deployment::deploy(&ministack.endpoint, &sandbox.url(), &options).await?;
        let clients = Clients::new(&ministack.endpoint).await;
        let cloud = Self {
            sandbox,
            outputs,
            clients,
            ministack,
        };
        if let Some(faults) = &cloud.ministack.faults {
            cloud.register_functions(faults).await?;
        }
        if options.put_credentials {
            tell("Storing the BILL credentials");
            cloud
                .put_credentials(&cloud.sandbox.credentials().to_json())
                .await?;
        }
        Ok(cloud)
    }

    /// MiniStack's URL: what `--endpoint-url` of the AWS CLI takes.
    pub fn endpoint(&self) -> &str {
        &self.ministack.endpoint
    }

    /// BILL.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// The name of the stack.
    pub fn stack(&self) -> &'static str {
        deployment::STACK
    }

    /// One output of the stack.
    pub fn output(&self, name: &str) -> Result<&str> {
        self.outputs.get(name)
    }

    /// All outputs of the stack.
    pub fn outputs(&self) -> &Outputs {
        &self.outputs
    }

    /// Client of the tables.
    pub fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        &self.clients.dynamodb
    }

    /// Client of the functions.
    pub fn lambda(&self) -> &aws_sdk_lambda::Client {
        &self.clients.lambda
    }

    /// Client of the secrets.
    pub fn secrets(&self) -> &aws_sdk_secretsmanager::Client {
        &self.clients.secrets
    }

    /// Client of the queues.
    pub fn sqs(&self) -> &aws_sdk_sqs::Client {
        &self.clients.sqs
    }

    /// Client of the parameters.
    pub fn ssm(&self) -> &aws_sdk_ssm::Client {
        &self.clients.ssm
    }

    /// The HTTP API of the stack.
    pub fn api(&self) -> Result<Api> {
        Api::new(self.output("ApiUrl")?, self.endpoint())
    }

    /// What stands between the functions and AWS. `Err`: the local cloud was started without it.
    pub fn faults(&self) -> Result<&FaultProxy> {
        self.ministack
            .faults
            .as_ref()
            .context("this local cloud was started without `Options::fault_proxy`")
    }

    /// What clients need to call AWS as an operator does, who may do everything.
    pub async fn config(&self) -> SdkConfig {
        config(self.endpoint(), operator()).await
    }

    /// What clients need to call AWS as the function of an output does: with its credentials, and
    /// so held to its role when [`Options::auth`] is set. They work once the function has been
    /// started; `Err`: there is no such function.
    pub async fn config_for_function(&self, function_output: &str) -> Result<SdkConfig> {
        let function = self
            .lambda()
            .get_function_configuration()
            .function_name(self.output(function_output)?)
            .send()
            .await?;
        let arn = function.function_arn().context("the function has no ARN")?;
        let role = function.role().context("the function has no role")?;
        Ok(config(self.endpoint(), ministack::function_credentials(arn, role)).await)
    }

    /// Tells the proxy by which access keys it knows the functions.
    async fn register_functions(&self, faults: &FaultProxy) -> Result<()> {
        let mut functions = self
            .lambda()
            .list_functions()
            .into_paginator()
            .items()
            .send();
        while let Some(function) = functions.try_next().await? {
            let output = self
                .outputs
                .iter()
                .find(|(_, value)| Some(*value) == function.function_name())
                .map(|(name, _)| name);
            if let (Some(output), Some(arn), Some(role)) =
                (output, function.function_arn(), function.role())
            {
                faults.register_function(ministack::access_key(arn, role), output);
            }
        }
        Ok(())
    }

    /// Does what an operator does after the first deployment: puts the BILL credentials, well
    /// formed or not, into their secret.
    pub async fn put_credentials(&self, json: &str) -> Result<()> {
        let secret = self.output("BillCredentialsSecret")?;
        self.secrets()
            .put_secret_value()
            .secret_id(secret)
            .secret_string(json)
            .send()
            .await?;
        Ok(())
    }

    /// Starts the function that an output names and waits for its answer. `Err`: it could not be
    /// started; that it failed is told by [`Invocation::function_error`].
    pub async fn invoke(&self, function_output: &str, event: &Value) -> Result<Invocation> {
        let answer = self
            .lambda()
            .invoke()
            .function_name(self.output(function_output)?)
            .log_type(LogType::Tail)
            .payload(Blob::new(serde_json::to_vec(event)?))
            .send()
            .await?;
        let log = answer
            .log_result()
            .map(decode_base64)
            .transpose()?
            .unwrap_or_default();
        Ok(Invocation {
            payload: serde_json::from_slice(
                answer.payload().map_or(b"null", |payload| payload.as_ref()),
            )?,
            function_error: answer.function_error().map(str::to_owned),
            log_tail: log,
        })
    }

    /// What waits to be synced.
    pub async fn backlog(&self) -> Result<Backlog> {
        Backlog::of(self.sqs(), self.output("SyncQueueUrl")?).await
    }

    /// What is in the events queue, wherever it is in its life; it stays there.
    pub async fn queued_events(&self) -> Result<Vec<QueuedMessage>> {
        queue::peek(&self.ministack, self.output("EventsQueueUrl")?).await
    }

    /// Puts events on the default bus, as a service of AWS does, under the source that the rules of
    /// a local stack listen to. `Err`: not every event was taken.
    pub async fn put_events(&self, detail_type: &str, details: &[Value]) -> Result<()> {
        events::put(&self.ministack, detail_type, details).await
    }

    /// Waits until the sync queue was found empty twice in a row, telling `progress` what is left.
    /// `Err` after `timeout`.
    pub async fn wait_until_drained(
        &self,
        timeout: Duration,
        progress: impl FnMut(Backlog),
    ) -> Result<()> {
        self.wait_until_queue_drained("SyncQueueUrl", timeout, progress)
            .await
    }

    /// The same for the queue that an output names.
    pub async fn wait_until_queue_drained(
        &self,
        output: &str,
        timeout: Duration,
        mut progress: impl FnMut(Backlog),
    ) -> Result<()> {
        let queue = self.output(output)?;
        let deadline = Instant::now() + timeout;
        let mut empty = 0;
        while empty < 2 {
            let backlog = Backlog::of(self.sqs(), queue).await?;
            progress(backlog);
            empty = if backlog.total() == 0 { empty + 1 } else { 0 };
            if Instant::now() > deadline {
                bail!(
                    "the queue of {output} still holds {} messages after {} s",
                    backlog.total(),
                    timeout.as_secs()
                );
            }
            sleep(Duration::from_millis(250)).await;
        }
        Ok(())
    }

    /// Lets failed messages return to the sync queue after `timeout`, so that a test need not wait
    /// six minutes for each attempt.
    pub async fn set_visibility_timeout(&self, timeout: Duration) -> Result<()> {
        let sync_queue = self.output("SyncQueueUrl")?;
        let seconds = timeout.as_secs().to_string();
        self.sqs()
            .set_queue_attributes()
            .queue_url(sync_queue)
            .attributes(QueueAttributeName::VisibilityTimeout, seconds)
            .send()
            .await?;
        Ok(())
    }

    /// What is in the sync queue's dead-letter queue; it stays there.
    pub async fn dead_letters(&self) -> Result<Vec<QueuedMessage>> {
        self.messages("SyncDeadLetterQueueUrl").await
    }

    /// What is in the queue that an output names; it stays there.
    pub async fn messages(&self, output: &str) -> Result<Vec<QueuedMessage>> {
        queue::peek(&self.ministack, self.output(output)?).await
    }

    /// Every item of the table that an output names.
    pub async fn scan(&self, table_output: &str) -> Result<Vec<Value>> {
        tables::scan(self.dynamodb(), self.output(table_output)?).await
    }

    /// The e-mails that were sent, oldest first.
    pub async fn sent_emails(&self) -> Result<Vec<SentEmail>> {
        mails::sent(&self.ministack).await
    }

    /// All that the function of an output has logged, in order.
    pub async fn logs(&self, function_output: &str) -> Result<Vec<String>> {
        logs::lines(
            &self.ministack,
            &format!("/aws/lambda/{}", self.output(function_output)?),
        )
        .await
    }
}

struct Clients {
    dynamodb: aws_sdk_dynamodb::Client,
    lambda: aws_sdk_lambda::Client,
    secrets: aws_sdk_secretsmanager::Client,
    sqs: aws_sdk_sqs::Client,
    ssm: aws_sdk_ssm::Client,
}

impl Clients {
    async fn new(endpoint: &str) -> Self {
        let config = config(endpoint, operator()).await;
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            lambda: aws_sdk_lambda::Client::new(&config),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            ssm: aws_sdk_ssm::Client::new(&config),
        }
    }
}

fn operator() -> Credentials {
    Credentials::new("test", "test", None, None, "local-cloud")
}

async fn config(endpoint: &str, credentials: Credentials) -> SdkConfig {
    let config = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new(REGION));
    config.credentials_provider(credentials).load().await
}

fn sandbox_options(options: &Options) -> sandbox::Options {
    let defaults = sandbox::Options::default();
    sandbox::Options {
        population: Population {
            organizations: options.organizations,
            seed: options.seed,
            bad_records: options.bad_records,
        },
        clock: options.clock.unwrap_or(defaults.clock),
        ..defaults
    }
}

fn decode_base64(encoded: &str) -> Result<String> {
    use base64::{Engine, prelude::BASE64_STANDARD};
    Ok(String::from_utf8_lossy(&BASE64_STANDARD.decode(encoded)?).into_owned())
}
