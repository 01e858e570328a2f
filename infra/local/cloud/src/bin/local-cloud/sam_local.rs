//! `local-cloud sam-local` (`make sam-local`): runs every function in a container with
//! `sam local invoke`, against the local cloud.

use std::{collections::BTreeMap, path::PathBuf, process::Stdio};

use anyhow::{Context, Result, bail, ensure};
use local_cloud::{LocalCloud, Options, sam_command, workspace_root};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{loopback_forwarder::LoopbackForwarder, steps::Steps};

/// The functions and the events in `tests/events` that each is invoked with.
const INVOCATIONS: [(&str, &str); 11] = [
    ("FanOutFunction", "fan-out.json"),
    ("FanOutFunction", "fan-out-all.json"),
    ("SyncOrganizationFunction", "sync-organization.json"),
    ("SyncOrganizationFunction", "sync-organization-mixed.json"),
    ("NotifyFunction", "notify.json"),
    ("InProductFunction", "in-product-get.json"),
    ("InProductFunction", "in-product-dismiss.json"),
    ("ReceiveEventsFunction", "receive-events.json"),
    ("RecordFeedbackFunction", "record-feedback.json"),
    ("PreferencesFunction", "preferences-get.json"),
    ("PreferencesFunction", "preferences-one-click.json"),
];

/// Number of customers in the sandbox: few, because each invocation starts a container.
const ORGANIZATIONS: usize = 12;

/// Starts the local cloud and invokes each function. `docker_setup` is a program that sets up a
/// Docker engine. `Err` means that a part did not start or a function failed.
pub(crate) async fn run(docker_setup: Option<PathBuf>) -> Result<()> {
    ensure_docker(docker_setup).await?;
    let steps = Steps::default();
    let cloud = LocalCloud::start(Options {
        on_progress: steps.callback(),
        organizations: ORGANIZATIONS,
        ..Options::default()
    })
    .await?;
    steps.end();
    let sandbox = cloud.sandbox().url();
    let _forwarder = LoopbackForwarder::open([port(cloud.endpoint())?, port(&sandbox)?]).await?;
    let template = template_with_endpoint(&with_localhost(cloud.endpoint()))?;
    let variables = write_variables(&cloud).await?;
    for (function, event) in INVOCATIONS {
        let event = format!("tests/events/{event}");
        let mut invoke = sam_command(cloud.endpoint())?;
        invoke
            .args(["local", "invoke", function, "--event", &event, "--template"])
            .arg(&template)
            .arg("--env-vars")
            .arg(&variables);
        invoke.args([
            "--parameter-overrides",
            &format!("Architecture={}", architecture()),
        ]);
        invoke.args([
            "--skip-pull-image",
            "--docker-network",
            "host",
            "--add-host",
            "localhost:host-gateway",
        ]);
        println!("\n{}", display_command(&invoke));
        println!("{}", run_invocation(&mut invoke).await?);
    }

    println!("\nEvery function ran in a container.");
    Ok(())
}

async fn ensure_docker(setup: Option<PathBuf>) -> Result<()> {
    if let Some(setup) = setup {
        println!("Setting up Docker with {}", setup.display());
        let status = Command::new(&setup)
            .status()
            .await
            .with_context(|| format!("cannot run {}", setup.display()))?;
        ensure!(status.success(), "{} failed", setup.display());
    }

    let info = Command::new("docker")
        .arg("info")
        .stdin(Stdio::null())
        .output()
        .await;
    ensure!(
        info.is_ok_and(|info| info.status.success()),
        "`sam local invoke` needs a running Docker engine: start it or set LAMBDA_DOCKER to a \
         program that does"
    );

    Ok(())
}

/// Writes a copy of the built template that also sets `AWS_ENDPOINT_URL`, because a container would
/// call the real AWS otherwise. Returns its path.
fn template_with_endpoint(endpoint: &str) -> Result<PathBuf> {
    let folder = workspace_root().join(".aws-sam/build");
    let built = std::fs::read_to_string(folder.join("template.yaml"))
        .context("the functions are not built yet: run `make build` first")?;
    let anchor = built
        .lines()
        .find(|line| line.trim() == "LOG_LEVEL: info")
        .context("the template does not set LOG_LEVEL for all functions")?;
    let indent = &anchor[..anchor.len() - anchor.trim_start().len()];
    let path = folder.join("sam-local.yaml");
    std::fs::write(
        &path,
        built.replacen(
            anchor,
            &format!("{anchor}\n{indent}AWS_ENDPOINT_URL: {endpoint}"),
            1,
        ),
    )?;
    Ok(path)
}

/// Writes the environment variables of the deployed functions, which name the deployed tables and
/// queues, for `--env-vars`. Returns the path of the file.
async fn write_variables(cloud: &LocalCloud) -> Result<PathBuf> {
    let mut variables = BTreeMap::<&str, Value>::new();
    for (function, _) in INVOCATIONS {
        let configuration = cloud
            .lambda()
            .get_function_configuration()
            .function_name(cloud.output(function)?)
            .send()
            .await?;
        let environment = configuration
            .environment()
            .and_then(|environment| environment.variables())
            .cloned()
            .unwrap_or_default();
        let mut environment: BTreeMap<_, _> = environment
            .into_iter()
            .map(|(name, value)| (name, with_localhost(&value)))
            .collect();
        // SAM prefers its own environment to the template but not to this file.
        environment.insert(
            "AWS_ENDPOINT_URL".to_owned(),
            with_localhost(cloud.endpoint()),
        );
        variables.insert(function, json!(environment));
    }
    let path = workspace_root().join("target/local-cloud/sam-local-variables.json");
    std::fs::write(&path, serde_json::to_string_pretty(&variables)?)?;
    Ok(path)
}

/// Runs one invocation and returns the function's response. `Err` means that there is no response
/// or that it is an error.
async fn run_invocation(invoke: &mut Command) -> Result<String> {
    let output = invoke.output().await?;
    let (stdout, log) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );

    let Some(response) = stdout
        .lines()
        .rev()
        .find_map(|line| serde_json::from_str::<Value>(line).ok())
    else {
        bail!("no response:\n{stdout}\n{log}");
    };
    ensure!(
        output.status.success() && response.get("errorType").is_none(),
        "{response}\n{log}"
    );

    Ok(response.to_string())
}

/// The URL that a container uses for a loopback URL: see [`LoopbackForwarder`].
fn with_localhost(url: &str) -> String {
    url.replace("//127.0.0.1:", "//localhost:")
}

fn port(url: &str) -> Result<u16> {
    let digits = url
        .rsplit(':')
        .next()
        .unwrap_or_default()
        .split('/')
        .next()
        .unwrap_or_default();
    digits.parse().with_context(|| format!("{url} has no port"))
}

fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "x86_64"
    }
}

/// The command line, with paths relative to the workspace.
fn display_command(command: &Command) -> String {
    let root = format!("{}/", workspace_root().display());
    let command = command.as_std();
    let words = command
        .get_args()
        .map(|word| word.to_string_lossy().replace(&root, ""));

    std::iter::once("sam".to_owned())
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_event_file_and_every_function_is_invoked() {
        let events = std::fs::read_dir(workspace_root().join("tests/events")).unwrap();
        let events: BTreeSet<_> = events
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(
            INVOCATIONS
                .iter()
                .map(|(_, event)| (*event).to_owned())
                .collect::<BTreeSet<_>>(),
            events
        );

        let template =
            std::fs::read_to_string(workspace_root().join("infra/template.yaml")).unwrap();
        let resources: Vec<_> = template.lines().collect();
        let functions = resources
            .windows(2)
            .filter(|lines| lines[1].trim() == "Type: AWS::Serverless::Function");
        let functions: BTreeSet<_> = functions
            .map(|lines| lines[0].trim().trim_end_matches(':'))
            .collect();
        assert_eq!(
            INVOCATIONS
                .iter()
                .map(|(function, _)| *function)
                .collect::<BTreeSet<_>>(),
            functions
        );
    }

    #[test]
    fn loopback_address_is_replaced_by_localhost() {
        assert_eq!(
            with_localhost("http://127.0.0.1:4566/000000000000/queue"),
            "http://localhost:4566/000000000000/queue"
        );
        assert_eq!(port("http://127.0.0.1:8080/connect").unwrap(), 8080);
    }
}
