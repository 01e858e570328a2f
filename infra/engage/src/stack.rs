//! What a command needs to know of the deployed stack: from its outputs and parameters, or told one
//! by one.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, bail};
use aws_config::{SdkConfig, timeout::TimeoutConfig};
use aws_sdk_cloudformation::error::{DisplayErrorContext, ProvideErrorMetadata};
use bill::BaseUrl;
use clap::Args;
use store::Organizations;

use crate::{keys::KeyStore, replay::Replay, webhooks::Webhooks};

/// Longer than any function runs.
const INVOCATION_TIMEOUT: Duration = Duration::from_mins(16);

/// Where the stack is.
#[derive(Debug, Clone, Default, Args)]
pub struct StackArguments {
    /// Name of the CloudFormation stack, such as bill-engage-production
    #[arg(long, env = "ENGAGE_STACK", global = true)]
    pub stack: Option<String>,
    /// Where the stack's HTTP API answers
    #[arg(long, env = "ENGAGE_API_URL", global = true, help_heading = OVERRIDES_HEADING, hide_short_help = true)]
    pub api_url: Option<String>,
    /// Where BILL answers, ending in /connect
    #[arg(long, env = "ENGAGE_BILL_BASE_URL", global = true, help_heading = OVERRIDES_HEADING, hide_short_help = true)]
    pub bill_base_url: Option<String>,
    /// Name or ARN of the secret that holds the BILL credentials
    #[arg(long, env = "ENGAGE_BILL_CREDENTIALS_SECRET", global = true, help_heading = OVERRIDES_HEADING, hide_short_help = true)]
    pub bill_credentials_secret: Option<String>,
    /// Name or ARN of the secret that takes the webhooks' keys
    #[arg(long, env = "ENGAGE_WEBHOOK_KEYS_SECRET", global = true, help_heading = OVERRIDES_HEADING, hide_short_help = true)]
    pub webhook_keys_secret: Option<String>,
    /// Name of the fan-out function
    #[arg(long, env = "ENGAGE_FAN_OUT_FUNCTION", global = true, help_heading = OVERRIDES_HEADING, hide_short_help = true)]
    pub fan_out_function: Option<String>,
    /// Name of the table of organizations
    #[arg(long, env = "ENGAGE_ORGANIZATIONS_TABLE", global = true, help_heading = OVERRIDES_HEADING, hide_short_help = true)]
    pub organizations_table: Option<String>,
}

const OVERRIDES_HEADING: &str = "Instead of what the stack says";

/// The stack, with what was told about it and, as far as that is not enough, what CloudFormation
/// says.
#[derive(Debug, Clone)]
pub struct Stack {
    config: SdkConfig,
    arguments: StackArguments,
    values: BTreeMap<String, String>,
}

impl Stack {
    /// Asks CloudFormation, if a stack is named. `Err`: there is no such stack, or it cannot be
    /// read.
    pub async fn find(config: SdkConfig, arguments: StackArguments) -> Result<Self> {
        let values = match &arguments.stack {
            Some(name) => describe(&config, name).await?,
            None => BTreeMap::new(),
        };
        Ok(Self {
            config,
            arguments,
            values,
        })
    }

    /// The stack's subscription.
    pub fn webhooks(&self) -> Result<Webhooks> {
        let StackArguments {
            api_url,
            bill_base_url,
            bill_credentials_secret,
            webhook_keys_secret,
            ..
        } = &self.arguments;
        let api_url = self.said("ApiUrl", "--api-url", api_url.as_ref())?;
        let base_url: BaseUrl = self
            .said("BillBaseUrl", "--bill-base-url", bill_base_url.as_ref())?
            .parse()?;
        let credentials = self.said(
            "BillCredentialsSecret",
            "--bill-credentials-secret",
            bill_credentials_secret.as_ref(),
        )?;
        let keys = self.said(
            "WebhookKeysSecret",
            "--webhook-keys-secret",
            webhook_keys_secret.as_ref(),
        )?;
        let (bill, _) = bill_connection::connect(&self.config, base_url, credentials)?;
        let subscriptions = bill
            .subscriptions()
            .context("BILL's base URL must end in /connect, or its webhooks cannot be found")?;
        let secrets = aws_sdk_secretsmanager::Client::new(&self.config);
        Webhooks::new(subscriptions, KeyStore::new(secrets, keys), &api_url)
    }

    /// The table that says when organizations are due, and the function that has them looked at.
    pub fn replay(&self) -> Result<Replay> {
        let table = self.said(
            "OrganizationsTable",
            "--organizations-table",
            self.arguments.organizations_table.as_ref(),
        )?;
        let function = self.said(
            "FanOutFunction",
            "--fan-out-function",
            self.arguments.fan_out_function.as_ref(),
        )?;
        let organizations = Organizations::new(store::client(&self.config), table);
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .operation_timeout(INVOCATION_TIMEOUT)
            .build();
        let config = self
            .config
            .clone()
            .into_builder()
            .timeout_config(timeouts)
            .build();
        Ok(Replay::new(
            organizations,
            aws_sdk_lambda::Client::new(&config),
            function,
        ))
    }

    fn said(&self, name: &str, flag: &str, told: Option<&String>) -> Result<String> {
        if let Some(value) = told.or_else(|| self.values.get(name)) {
            return Ok(value.clone());
        }
        match &self.arguments.stack {
            Some(stack) => {
                bail!("the stack {stack} has no {name}: deploy its present version, or give {flag}")
            }
            None => bail!("name the stack with --stack or ENGAGE_STACK, or give {flag}"),
        }
    }
}

/// The stack's parameters and outputs, by name.
async fn describe(config: &SdkConfig, name: &str) -> Result<BTreeMap<String, String>> {
    let client = aws_sdk_cloudformation::Client::new(config);
    let answer = match client.describe_stacks().stack_name(name).send().await {
        Ok(answer) => answer,
        // CloudFormation has no error of its own for this.
        Err(error) if error.code() == Some("ValidationError") => {
            let region = config
                .region()
                .map_or("the region", |region| region.as_ref());
            bail!("there is no stack {name} in {region}");
        }
        Err(error) => bail!(
            "cannot read the stack {name}: {}",
            DisplayErrorContext(&error)
        ),
    };
    let stack = answer
        .stacks()
        .first()
        .with_context(|| format!("there is no stack {name}"))?;
    let parameters = stack
        .parameters()
        .iter()
        .map(|parameter| (parameter.parameter_key(), parameter.parameter_value()));
    let outputs = stack
        .outputs()
        .iter()
        .map(|output| (output.output_key(), output.output_value()));
    Ok(parameters
        .chain(outputs)
        .filter_map(|(name, value)| Some((name?.to_owned(), value?.to_owned())))
        .collect())
}
