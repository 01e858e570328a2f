//! Deploys the output of `make build` with `sam deploy` and reads the outputs of the stack.

use std::{collections::BTreeMap, process::Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use tokio::process::Command;

use crate::{
    options::{Options, REGION},
    workspace::{bare_environment, built_template, output_folder, tool_path, workspace_root},
};

/// The name of the stack in a local cloud.
pub(crate) const STACK_NAME: &str = "bill-engage-local";

/// The outputs of the stack, by name.
#[derive(Debug, Clone, Default)]
pub struct Outputs(BTreeMap<String, String>);

impl Outputs {
    /// One output. `Err` means that the stack has no output of this name.
    pub fn get(&self, name: &str) -> Result<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .with_context(|| format!("the stack has no output {name}"))
    }

    /// All outputs, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Deploys to the MiniStack at `endpoint`, with BILL at `bill_url`. `Err` contains the failure
/// reasons of the stack events, or the error output of the SAM CLI.
pub(crate) async fn deploy(endpoint: &str, bill_url: &str, options: &Options) -> Result<Outputs> {
    let template = options.template.clone();
    let mut deploy = sam_command(endpoint)?;
    deploy
        .arg("deploy")
        .arg("--template-file")
        .arg(template.map_or_else(built_template, Ok)?)
        .args([
            "--stack-name",
            STACK_NAME,
            "--resolve-s3",
            "--capabilities",
            "CAPABILITY_IAM",
        ])
        .args([
            "--no-confirm-changeset",
            "--no-fail-on-empty-changeset",
            "--output",
            "json",
        ])
        .arg("--parameter-overrides")
        .args(
            parameters(bill_url, options)
                .iter()
                .map(|(name, value)| format!("{name}=\"{value}\"")),
        );

    let output = deploy.output().await.context("cannot run sam deploy")?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    std::fs::write(
        output_folder("local-cloud")?.join("sam-deploy.log"),
        stdout.as_bytes(),
    )?;

    let events: Vec<SamEvent> = stdout
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    if !output.status.success() {
        let failures: Vec<String> = events
            .iter()
            .filter_map(SamEvent::failure_message)
            .collect();
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!(
            "sam deploy failed:\n{}",
            if failures.is_empty() {
                stderr.trim().to_owned()
            } else {
                failures.join("\n")
            }
        );
    }

    outputs(events).context("sam deploy printed no stack outputs")
}

/// One line of the output of `sam deploy --output json`.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum SamEvent {
    Event {
        status: String,
        logical_id: String,
        reason: String,
    },
    Outputs {
        stack_outputs: Vec<StackOutput>,
    },
    Result {
        error: Option<SamError>,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct StackOutput {
    key: String,
    value: String,
}

#[derive(Debug, Deserialize)]
struct SamError {
    message: String,
}

impl SamEvent {
    fn failure_message(&self) -> Option<String> {
        match self {
            Self::Event {
                status,
                logical_id,
                reason,
            } if status.ends_with("_FAILED") => Some(format!("{logical_id}: {reason}")),
            Self::Result {
                error: Some(SamError { message }),
            } => Some(message.clone()),
            _ => None,
        }
    }
}

fn outputs(events: Vec<SamEvent>) -> Option<Outputs> {
    events.into_iter().find_map(|event| match event {
        SamEvent::Outputs { stack_outputs } => Some(Outputs(
            stack_outputs
                .into_iter()
                .map(|output| (output.key, output.value))
                .collect(),
        )),
        _ => None,
    })
}

fn parameters(bill_url: &str, options: &Options) -> BTreeMap<String, String> {
    let architecture = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "x86_64"
    };
    let mut parameters = BTreeMap::from([
        ("Architecture".to_owned(), architecture.to_owned()),
        ("BillBaseUrl".to_owned(), bill_url.to_owned()),
        (
            "BillRequestsPerHour".to_owned(),
            options.bill_requests_per_hour.to_string(),
        ),
        ("Environment".to_owned(), "local".to_owned()),
        ("ScheduleState".to_owned(), "DISABLED".to_owned()),
        ("SendWindow".to_owned(), "always".to_owned()),
    ]);
    parameters.extend(options.parameters.clone());

    parameters
}

/// A command that runs the SAM CLI with AWS at `endpoint`, without this process's environment.
/// `Err` means that `make setup` was not run.
pub fn sam_command(endpoint: &str) -> Result<Command> {
    let mut command = Command::new(tool_path("sam")?);
    command
        .current_dir(workspace_root())
        .env_clear()
        .envs(bare_environment())
        .envs([
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_DEFAULT_REGION", REGION),
            ("SAM_CLI_POLL_DELAY", "0.2"), // seconds; MiniStack finishes within one interval
            ("SAM_CLI_TELEMETRY", "0"),
        ])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_parameters_override_local_defaults() {
        let options = Options::default()
            .parameter("SendWindow", "Mon-Fri 09:00-17:00 America/New_York")
            .parameter("DryRun", "true");

        let parameters = parameters("http://127.0.0.1:9/connect", &options);

        assert_eq!(
            parameters["SendWindow"],
            "Mon-Fri 09:00-17:00 America/New_York"
        );
        assert_eq!(parameters["DryRun"], "true");
        assert_eq!(parameters["Environment"], "local");
    }

    #[test]
    fn sam_output_is_parsed_line_by_line() {
        let events: Vec<SamEvent> = [
            r#"{"type": "info", "managed_s3_bucket": "bucket"}"#,
            concat!(
                r#"{"type": "event", "status": "CREATE_FAILED", "detailed_status": null, "#,
                r#""logical_id": "Api", "reason": "no such thing"}"#
            ),
            concat!(
                r#"{"type": "outputs", "stack_outputs": [{"key": "ApiUrl", "#,
                r#""value": "http://localhost", "description": ""}]}"#
            ),
            concat!(
                r#"{"type": "result", "status": "failure", "error": {"type": "X", "#,
                r#""message": "the stack failed", "resources": null}}"#
            ),
        ]
        .map(|line| serde_json::from_str(line).unwrap())
        .into();

        let failures: Vec<String> = events
            .iter()
            .filter_map(SamEvent::failure_message)
            .collect();
        assert_eq!(failures, ["Api: no such thing", "the stack failed"]);
        assert_eq!(
            outputs(events).unwrap().get("ApiUrl").unwrap(),
            "http://localhost"
        );
    }
}
