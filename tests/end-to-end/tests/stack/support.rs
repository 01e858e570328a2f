//! Helpers that several tests share: options, sweeps, invocations, tables and logs.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, ensure};
use engage::stack::{Stack, StackArguments};
use jiff::Timestamp;
use local_cloud::{Invocation, LocalCloud, Options, workspace_root};
use scraper::Selector;
use serde_json::{Value, json};

/// A time-out for hangs only.
pub const HANG_TIMEOUT: Duration = Duration::from_mins(5);

/// The outputs that name the functions whose logs [`logs`] reads.
const FUNCTIONS: [&str; 7] = [
    "FanOutFunction",
    "SyncOrganizationFunction",
    "NotifyFunction",
    "RecordFeedbackFunction",
    "PreferencesFunction",
    "InProductFunction",
    "ReceiveEventsFunction",
];

/// A local cloud in which every function is restricted to its IAM role.
pub fn options() -> Options {
    Options {
        enforce_roles: true,
        ..Options::default()
    }
}

/// The current time in whole seconds, as the functions use it.
#[expect(clippy::disallowed_methods, reason = "a test runs at the current time")]
pub fn now() -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default()
}

/// The stack as `engage` finds it when it is given the stack's name alone.
pub async fn load_stack(cloud: &LocalCloud) -> Result<Stack> {
    let arguments = StackArguments {
        stack: Some(cloud.stack_name().to_owned()),
        ..StackArguments::default()
    };

    Stack::load(cloud.config().await, arguments).await
}

/// Runs fan-out as of a time, waits until the sync queue is empty and returns fan-out's response.
pub async fn sweep(cloud: &LocalCloud, as_of: Timestamp) -> Result<Value> {
    let response = invoke_ok(cloud, "FanOutFunction", &json!({"time": as_of.to_string()})).await?;
    cloud.wait_until_drained(HANG_TIMEOUT, |_| {}).await?;

    Ok(response)
}

/// Runs notify as of a time and returns its response.
pub async fn notify(cloud: &LocalCloud, as_of: Timestamp) -> Result<Value> {
    invoke_ok(cloud, "NotifyFunction", &json!({"time": as_of.to_string()})).await
}

/// Invokes a function and returns its response. `Err`: the function failed.
pub async fn invoke_ok(cloud: &LocalCloud, function: &str, event: &Value) -> Result<Value> {
    let Invocation {
        payload,
        function_error,
        log_tail,
    } = cloud.invoke(function, event).await?;
    ensure!(
        function_error.is_none(),
        "{function} failed: {payload}\n{log_tail}"
    );

    Ok(payload)
}

/// The items of the organizations that were synced, by id.
pub async fn organizations(cloud: &LocalCloud) -> Result<BTreeMap<String, Value>> {
    let items = cloud.scan("OrganizationsTable").await?;

    items
        .into_iter()
        .filter(|item| item["stage"].is_string())
        .map(|item| Ok((text_attribute(&item, "organization_id")?, item)))
        .collect()
}

/// The number of organizations whose last sync was before a time.
pub async fn count_synced_before(cloud: &LocalCloud, time: Timestamp) -> Result<usize> {
    let mut before = 0;
    for item in organizations(cloud).await?.values() {
        let checked_at: Timestamp = text_attribute(item, "checked_at")?.parse()?;
        before += usize::from(checked_at < time);
    }

    Ok(before)
}

/// Asserts that every organization has the stage and the stage reason that the sandbox expects.
pub async fn assert_stages(cloud: &LocalCloud, as_of: Timestamp) -> Result<()> {
    let organizations = organizations(cloud).await?;
    let mut differences = Vec::new();
    let mut expected_count = 0;

    for expectation in cloud.sandbox().expectations(as_of) {
        let Some(id) = expectation.organization_id else {
            continue;
        };
        expected_count += 1;
        let found = organizations
            .get(&id)
            .map(|item| (item["stage"].as_str(), item["stage_reason"].as_str()));
        let expected = (
            expectation.expected_stage.as_deref(),
            expectation.expected_reason.as_deref(),
        );
        if found != Some(expected) {
            differences.push(format!(
                "{id} ({}): expected {expected:?}, found {found:?}",
                expectation.scenario
            ));
        }
    }

    ensure!(
        differences.is_empty(),
        "{} of {expected_count} organizations differ:\n{}",
        differences.len(),
        differences.join("\n")
    );
    ensure!(
        organizations.len() == expected_count,
        "expected {expected_count} organizations, found {}",
        organizations.len()
    );
    Ok(())
}

/// All log lines of [`FUNCTIONS`].
pub async fn logs(cloud: &LocalCloud) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for function in FUNCTIONS {
        lines.extend(cloud.logs(function).await?);
    }

    Ok(lines)
}

/// A text attribute of an item.
pub fn text_attribute(item: &Value, attribute: &str) -> Result<String> {
    Ok(item[attribute]
        .as_str()
        .with_context(|| format!("{attribute} is not a text in {item}"))?
        .to_owned())
}

/// A sample event of `tests/events`.
pub fn read_event(name: &str) -> Result<Value> {
    let path = workspace_root().join("tests/events").join(name);
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;

    Ok(serde_json::from_str(&text)?)
}

/// A CSS selector. `Err`: the selector is invalid.
pub fn selector(css: &str) -> Result<Selector> {
    Selector::parse(css).map_err(|error| anyhow::anyhow!("{error}"))
}
