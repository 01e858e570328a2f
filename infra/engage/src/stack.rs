//! Finds the resources of a deployed stack: from the flags of the command, or else from the stack's
//! outputs and parameters.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, bail};
use aws_config::{SdkConfig, timeout::TimeoutConfig};
use aws_sdk_cloudformation::error::{DisplayErrorContext, ProvideErrorMetadata};
use bill::BaseUrl;
use clap::Args;
use store::Organizations;

use crate::{keys::KeyStore, replay::Replay, webhooks::Webhooks};

/// Longer than the time-out of any function.
const INVOCATION_TIMEOUT: Duration = Duration::from_mins(16);

/// The stack and, where needed, single resources of it.
#[derive(Debug, Clone, Default, Args)]
pub struct StackArguments {
    /// Name of the CloudFormation stack, such as bill-engage-production
    #[arg(long, env = "ENGAGE_STACK", global = true)]
    pub stack: Option<String>,
    /// URL of the stack's HTTP API
    #[arg(long, env = "ENGAGE_API_URL", global = true, help_heading = OVERRIDES_HEADING, hide_short_help = true)]
    pub api_url: Option<String>,
    /// Base URL of BILL's API, ending in /connect
    #[arg(long, env = "ENGAGE_BILL_BASE_URL", global = true, help_heading = OVERRIDES_HEADING, hide_short_help = true)]
    pub bill_base_url: Option<String>,
    /// Name or ARN of the secret that holds the BILL credentials
    #[arg(long, env = "ENGAGE_BILL_CREDENTIALS_SECRET", global = true, help_heading = OVERRIDES_HEADING, hide_short_help = true)]
    pub bill_credentials_secret: Option<String>,
    /// Name or ARN of the secret that stores the webhook keys
    #[arg(long, env = "ENGAGE_WEBHOOK_KEYS_SECRET", global = true, help_heading = OVERRIDES_HEADING, hide_short_help = true)]
    pub webhook_keys_secret: Option<String>,
    /// Name of the fan-out function
    #[arg(long, env = "ENGAGE_FAN_OUT_FUNCTION", global = true, help_heading = OVERRIDES_HEADING, hide_short_help = true)]
    pub fan_out_function: Option<String>,
    /// Name of the organizations table
    #[arg(long, env = "ENGAGE_ORGANIZATIONS_TABLE", global = true, help_heading = OVERRIDES_HEADING, hide_short_help = true)]
    pub organizations_table: Option<String>,
}

const OVERRIDES_HEADING: &str = "Overrides of the stack's values";

/// The stack: the flags of the command and the values that CloudFormation returned.
#[derive(Debug, Clone)]
pub struct Stack {
    config: SdkConfig,
    arguments: StackArguments,
    values: BTreeMap<String, String>,
}

impl Stack {
    /// Reads the stack from CloudFormation, if one is named. `Err`: it does not exist or cannot be
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
        let api_url = self.resolve("ApiUrl", "--api-url", api_url.as_ref())?;
        let base_url: BaseUrl = self
            .resolve("BillBaseUrl", "--bill-base-url", bill_base_url.as_ref())?
            .parse()?;
        let credentials = self.resolve(
            "BillCredentialsSecret",
            "--bill-credentials-secret",
            bill_credentials_secret.as_ref(),
        )?;
        let keys = self.resolve(
            "WebhookKeysSecret",
            "--webhook-keys-secret",
            webhook_keys_secret.as_ref(),
        )?;
        let (bill, _) = bill_connection::connect(&self.config, base_url, credentials)?;
        let subscriptions = bill.subscriptions().context(
            "BILL's base URL must end in /connect, which the URL of its webhooks API replaces",
        )?;
        let secrets = aws_sdk_secretsmanager::Client::new(&self.config);
        Webhooks::new(subscriptions, KeyStore::new(secrets, keys), &api_url)
    }

    /// The organizations table and the fan-out function.
    pub fn replay(&self) -> Result<Replay> {
        let table = self.resolve(
            "OrganizationsTable",
            "--organizations-table",
            self.arguments.organizations_table.as_ref(),
        )?;
        let function = self.resolve(
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

    /// The value of a flag, else the stack's output or parameter with this name. `Err` names the
    /// flag.
    fn resolve(&self, name: &str, flag: &str, flag_value: Option<&String>) -> Result<String> {
        if let Some(value) = flag_value.or_else(|| self.values.get(name)) {
            return Ok(value.clone());
        }
        match &self.arguments.stack {
            Some(stack) => {
                bail!("the stack {stack} has no {name}: deploy its current version or use {flag}")
            }
            None => bail!("set the stack with --stack or ENGAGE_STACK, or use {flag}"),
        }
    }
}

/// The stack's parameters and outputs, by name.
async fn describe(config: &SdkConfig, name: &str) -> Result<BTreeMap<String, String>> {
    let client = aws_sdk_cloudformation::Client::new(config);
    let response = match client.describe_stacks().stack_name(name).send().await {
        Ok(response) => response,
        // CloudFormation has no specific error code for a missing stack.
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
    let stack = response
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
