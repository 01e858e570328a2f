//! The values of the deployed stack that a command needs, from flags and environment variables or
//! from the stack's parameters and outputs, and the services that are built from them.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, bail};
use aws_config::{SdkConfig, timeout::TimeoutConfig};
use aws_sdk_cloudformation::error::{DisplayErrorContext, ProvideErrorMetadata};
use bill::BaseUrl;
use bill_connection::BillConfig;
use clap::Args;
use store::Organizations;

use crate::{keys::KeyStore, replay::Replay, webhooks::Webhooks};

/// Time-out of a function invocation: longer than the 15 minutes that Lambda allows a function.
const INVOCATION_TIMEOUT: Duration = Duration::from_mins(16);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Heading of the flags below `--stack` in the help text.
const OVERRIDES_HEADING: &str = "Values to use instead of those of the stack";

/// Name of the stack, and values that replace its own. Each is a flag and an environment variable.
#[derive(Debug, Clone, Default, Args)]
pub struct StackArguments {
    /// Name of the CloudFormation stack, such as bill-engage-production
    #[arg(long, env = "ENGAGE_STACK", global = true)]
    pub stack: Option<String>,
    /// URL of the stack's HTTP API
    #[arg(
        long,
        env = "ENGAGE_API_URL",
        global = true,
        help_heading = OVERRIDES_HEADING,
        hide_short_help = true
    )]
    pub api_url: Option<String>,
    /// BILL's base URL, ending in /connect
    #[arg(
        long,
        env = "ENGAGE_BILL_BASE_URL",
        global = true,
        help_heading = OVERRIDES_HEADING,
        hide_short_help = true
    )]
    pub bill_base_url: Option<String>,
    /// Name or ARN of the secret that holds the BILL credentials
    #[arg(
        long,
        env = "ENGAGE_BILL_CREDENTIALS_SECRET",
        global = true,
        help_heading = OVERRIDES_HEADING,
        hide_short_help = true
    )]
    pub bill_credentials_secret: Option<String>,
    /// Name or ARN of the secret that holds the webhook keys
    #[arg(
        long,
        env = "ENGAGE_WEBHOOK_KEYS_SECRET",
        global = true,
        help_heading = OVERRIDES_HEADING,
        hide_short_help = true
    )]
    pub webhook_keys_secret: Option<String>,
    /// Name of the fan-out function
    #[arg(
        long,
        env = "ENGAGE_FAN_OUT_FUNCTION",
        global = true,
        help_heading = OVERRIDES_HEADING,
        hide_short_help = true
    )]
    pub fan_out_function: Option<String>,
    /// Name of the organizations table
    #[arg(
        long,
        env = "ENGAGE_ORGANIZATIONS_TABLE",
        global = true,
        help_heading = OVERRIDES_HEADING,
        hide_short_help = true
    )]
    pub organizations_table: Option<String>,
}

/// A deployed stack. Values come from flags and environment variables, else from the stack's
/// parameters and outputs.
#[derive(Debug, Clone)]
pub struct Stack {
    config: SdkConfig,
    arguments: StackArguments,
    values: BTreeMap<String, String>,
}

impl Stack {
    /// Reads the parameters and outputs of the stack, if one is named. `Err`: there is no such
    /// stack, or it cannot be read.
    pub async fn load(config: SdkConfig, arguments: StackArguments) -> Result<Self> {
        let values = match &arguments.stack {
            Some(name) => describe_stack(&config, name).await?,
            None => BTreeMap::new(),
        };
        Ok(Self {
            config,
            arguments,
            values,
        })
    }

    /// The commands about the stack's subscription. `Err`: a value is missing or invalid.
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

        let bill = BillConfig {
            bill_base_url: base_url,
            bill_credentials_secret: credentials,
        };
        let (bill, _) = bill_connection::connect(&self.config, bill)?;
        let subscriptions = bill.subscriptions().context(
            "BILL's base URL must end in /connect to derive the URL of its webhooks API",
        )?;
        let secrets = aws_sdk_secretsmanager::Client::new(&self.config);

        Webhooks::new(subscriptions, KeyStore::new(secrets, keys), &api_url)
    }

    /// The replay of missed events. `Err`: a value is missing.
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
            .connect_timeout(CONNECT_TIMEOUT)
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

    /// The override value, else the stack's parameter or output `name`. `Err`: there is neither;
    /// the message names the flag.
    fn resolve(&self, name: &str, flag: &str, override_value: Option<&String>) -> Result<String> {
        if let Some(value) = override_value.or_else(|| self.values.get(name)) {
            return Ok(value.clone());
        }
        match &self.arguments.stack {
            Some(stack) => {
                bail!("the stack {stack} has no {name}: deploy the current version, or set {flag}")
            }
            None => bail!("name the stack with --stack or ENGAGE_STACK, or set {flag}"),
        }
    }
}

/// The stack's parameters and outputs by name. `Err`: there is no such stack, or it cannot be read.
async fn describe_stack(config: &SdkConfig, name: &str) -> Result<BTreeMap<String, String>> {
    let client = aws_sdk_cloudformation::Client::new(config);
    let response = match client.describe_stacks().stack_name(name).send().await {
        Ok(response) => response,
        // The error code of CloudFormation for a stack that does not exist.
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
