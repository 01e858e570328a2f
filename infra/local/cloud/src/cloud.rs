//! The running local cloud: starts its parts and gives access to them.

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use sandbox::{Population, Sandbox};
use serde_json::Value;

use crate::{
    api::HttpApi,
    clients::{self, Clients},
    deployment::{self, Outputs},
    event_bus,
    fault_proxy::FaultProxy,
    logs,
    ministack::{self, MiniStack},
    options::Options,
    sent_emails::{self, SentEmail},
    tables,
};

/// MiniStack, a BILL sandbox and the deployed stack. Dropping it stops all of them.
pub struct LocalCloud {
    sandbox: Sandbox,
    outputs: Outputs,
    clients: Clients,
    ministack: MiniStack,
}

impl LocalCloud {
    /// Starts MiniStack and the sandbox and deploys the stack. `Err` says which part failed and
    /// what to do about it; nothing is left running.
    pub async fn start(options: Options) -> Result<Self> {
        let on_progress = &options.on_progress;

        on_progress("Starting MiniStack");
        let ministack = MiniStack::start(&options).await?;

        on_progress(&format!(
            "Starting the BILL sandbox with {} customers",
            options.organizations
        ));
        let sandbox = Sandbox::start(sandbox_options(&options))
            .await
            .context("cannot start the BILL sandbox")?;

        on_progress("Deploying infra/template.yaml with sam deploy");
        let outputs = deployment::deploy(&ministack.endpoint, &sandbox.url(), &options).await?;
        let clients = Clients::new(&ministack.endpoint).await;
        let cloud = Self {
            sandbox,
            outputs,
            clients,
            ministack,
        };

        if let Some(fault_proxy) = &cloud.ministack.fault_proxy {
            cloud.register_functions(fault_proxy).await?;
        }
        if options.put_credentials {
            on_progress("Storing the BILL credentials");
            cloud
                .put_credentials(&cloud.sandbox.credentials().to_json())
                .await?;
        }

        Ok(cloud)
    }

    /// Updates the stack in place: deploys the release and the parameters of `options`. `Err` says
    /// what failed; the stack is then as `sam deploy` leaves it.
    pub async fn update(&mut self, options: &Options) -> Result<()> {
        let (endpoint, bill_url) = (&self.ministack.endpoint, self.sandbox.url());
        self.outputs = deployment::deploy(endpoint, &bill_url, options).await?;
        Ok(())
    }

    /// MiniStack's URL, for `--endpoint-url` of the AWS CLI.
    pub fn endpoint(&self) -> &str {
        &self.ministack.endpoint
    }

    /// The BILL sandbox.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// The name of the deployed stack.
    pub fn stack_name(&self) -> &'static str {
        deployment::STACK_NAME
    }

    /// One output of the stack. `Err` means that the stack has no output of this name.
    pub fn output(&self, name: &str) -> Result<&str> {
        self.outputs.get(name)
    }

    /// All outputs of the stack.
    pub fn outputs(&self) -> &Outputs {
        &self.outputs
    }

    /// The operator's DynamoDB client.
    pub fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        &self.clients.dynamodb
    }

    /// The operator's Lambda client.
    pub fn lambda(&self) -> &aws_sdk_lambda::Client {
        &self.clients.lambda
    }

    /// The operator's Secrets Manager client.
    pub fn secrets(&self) -> &aws_sdk_secretsmanager::Client {
        &self.clients.secrets
    }

    /// The operator's SQS client.
    pub fn sqs(&self) -> &aws_sdk_sqs::Client {
        &self.clients.sqs
    }

    /// The operator's SSM client.
    pub fn ssm(&self) -> &aws_sdk_ssm::Client {
        &self.clients.ssm
    }

    /// MiniStack, for the modules that read its admin pages.
    pub(crate) fn ministack(&self) -> &MiniStack {
        &self.ministack
    }

    /// A client of the stack's HTTP API.
    pub fn api(&self) -> Result<HttpApi> {
        HttpApi::new(self.output("ApiUrl")?, self.endpoint())
    }

    /// The proxy between the functions and AWS. `Err` means that the local cloud was started
    /// without [`Options::fault_proxy`].
    pub fn fault_proxy(&self) -> Result<&FaultProxy> {
        self.ministack
            .fault_proxy
            .as_ref()
            .context("this local cloud was started without `Options::fault_proxy`")
    }

    /// SDK configuration with the operator's credentials, which may call every operation.
    pub async fn config(&self) -> SdkConfig {
        clients::sdk_config(self.endpoint(), clients::operator_credentials()).await
    }

    /// SDK configuration with the credentials of the function that a stack output names. With
    /// [`Options::enforce_roles`] they are restricted to the function's IAM role. They are valid
    /// once the function has been invoked. `Err` means that there is no such function.
    pub async fn config_for_function(&self, function_output: &str) -> Result<SdkConfig> {
        let function = self
            .lambda()
            .get_function_configuration()
            .function_name(self.output(function_output)?)
            .send()
            .await?;
        let arn = function.function_arn().context("the function has no ARN")?;
        let role = function.role().context("the function has no role")?;
        let credentials = ministack::function_credentials(arn, role);

        Ok(clients::sdk_config(self.endpoint(), credentials).await)
    }

    /// Registers the access key of each function at the proxy.
    async fn register_functions(&self, fault_proxy: &FaultProxy) -> Result<()> {
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
                fault_proxy.register_function(ministack::function_access_key(arn, role), output);
            }
        }

        Ok(())
    }

    /// Stores the BILL credentials in the stack's secret, as the operator does after the first
    /// deployment. `json` is not validated, so that tests can store malformed credentials.
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

    /// Puts events on the default event bus, with the source that the rules of a local stack match.
    /// `Err` means that not every event was accepted.
    pub async fn put_events(&self, detail_type: &str, details: &[Value]) -> Result<()> {
        event_bus::put(&self.ministack, detail_type, details).await
    }

    /// Every item of the table that a stack output names.
    pub async fn scan(&self, table_output: &str) -> Result<Vec<Value>> {
        tables::scan(self.dynamodb(), self.output(table_output)?).await
    }

    /// The e-mails that were sent, oldest first.
    pub async fn sent_emails(&self) -> Result<Vec<SentEmail>> {
        sent_emails::list(&self.ministack).await
    }

    /// All log lines of the function that a stack output names, in order.
    pub async fn logs(&self, function_output: &str) -> Result<Vec<String>> {
        let log_group = format!("/aws/lambda/{}", self.output(function_output)?);
        logs::lines(&self.ministack, &log_group).await
    }
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
