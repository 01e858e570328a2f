//! The stack: `sam deploy` of what `make build` has left, and the outputs of it.

use std::{collections::BTreeMap, process::Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use tokio::process::Command;

use crate::{
    ministack::REGION,
    options::Options,
    workspace::{bare_environment, built_template, output_folder, tool, workspace_root},
};

/// The name of the stack in a local cloud.
pub(crate) const STACK: &str = "bill-engage-local";

/// What the template puts out, by name.
#[derive(Debug, Clone, Default)]
pub struct Outputs(BTreeMap<String, String>);

impl Outputs {
    /// One output. `Err`: the template has none of this name.
    pub fn get(&self, name: &str) -> Result<&str> {
        self.0.get(name).map(String::as_str).with_context(|| format!("the stack has no output {name}"))
    }

    /// All outputs, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Deploys into the MiniStack at `endpoint`, with BILL at `bill_url`. `Err` holds what SAM said.
pub(crate) async fn deploy(endpoint: &str, bill_url: &str, options: &Options) -> Result<Outputs> {
    let mut deploy = sam(endpoint)?;
    deploy
        .arg("deploy")
        .arg("--template-file")
        .arg(built_template()?)
        .args(["--stack-name", STACK, "--resolve-s3", "--capabilities", "CAPABILITY_IAM"])
        .args(["--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"])
        .arg("--parameter-overrides")
        .args(parameters(bill_url, options).iter().map(|(name, value)| format!("{name}=\"{value}\"")));
    let said = run(&mut deploy, "deploy").await?;
    std::fs::write(output_folder("local-cloud")?.join("sam-deploy.log"), said)?;
    outputs(endpoint).await
}

fn parameters(bill_url: &str, options: &Options) -> BTreeMap<String, String> {
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let mut parameters = BTreeMap::from([
        ("Architecture".to_owned(), architecture.to_owned()),
        ("BillBaseUrl".to_owned(), bill_url.to_owned()),
        ("BillRequestsPerHour".to_owned(), options.bill_requests_per_hour.to_string()),
        ("Environment".to_owned(), "local".to_owned()),
        ("ScheduleState".to_owned(), "DISABLED".to_owned()),
        ("SendWindow".to_owned(), "always".to_owned()),
    ]);
    parameters.extend(options.parameters.clone());
    parameters
}

async fn outputs(endpoint: &str) -> Result<Outputs> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Output {
        output_key: String,
        output_value: String,
    }

    let mut list = sam(endpoint)?;
    list.args(["list", "stack-outputs", "--stack-name", STACK, "--output", "json"]);
    let listed: Vec<Output> = serde_json::from_str(&run(&mut list, "list stack-outputs").await?)?;
    Ok(Outputs(listed.into_iter().map(|output| (output.output_key, output.output_value)).collect()))
}

/// The SAM CLI, with AWS at `endpoint` and nothing of this process's own settings. `Err`: `make setup` was not run.
pub fn sam(endpoint: &str) -> Result<Command> {
    let mut command = Command::new(tool("sam")?);
    command
        .current_dir(workspace_root())
        .env_clear()
        .envs(bare_environment())
        .envs([
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_DEFAULT_REGION", REGION),
            ("SAM_CLI_TELEMETRY", "0"),
        ])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    Ok(command)
}

/// Runs SAM to its end. `Err` holds its last words.
async fn run(command: &mut Command, task: &str) -> Result<String> {
    let output = command.output().await.with_context(|| format!("cannot run sam {task}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        let reasons: Vec<&str> = said.lines().chain(complaint.lines()).filter(|line| is_reason(line)).collect();
        bail!("sam {task} failed:\n{}", if reasons.is_empty() { complaint.trim().to_owned() } else { reasons.join("\n") });
    }
    Ok(said)
}

fn is_reason(line: &str) -> bool {
    line.contains("_FAILED") || line.starts_with("Error")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_parameters_win_over_those_of_a_local_deployment() {
        let options = Options::default().parameter("SendWindow", "Mon-Fri 09:00-17:00 America/New_York").parameter("DryRun", "true");
        let parameters = parameters("http://127.0.0.1:9/connect", &options);
        assert_eq!(parameters["SendWindow"], "Mon-Fri 09:00-17:00 America/New_York");
        assert_eq!(parameters["DryRun"], "true");
        assert_eq!(parameters["Environment"], "local");
    }
}
