//! What the stories have in common.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use local_cloud::{Invocation, LocalCloud, Options};
use serde_json::{Value, json};

/// A time-out for hangs only.
pub const PATIENCE: Duration = Duration::from_mins(5);

/// A local cloud with every function held to its role.
pub fn options() -> Options {
    Options {
        auth: true,
        ..Options::default()
    }
}

/// The present moment in whole seconds, as functions use it.
#[expect(clippy::disallowed_methods, reason = "a story begins now")]
pub fn now() -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default()
}

/// Runs fan-out for a moment, waits until everything is synced and returns fan-out's answer.
pub async fn sweep(cloud: &LocalCloud, as_of: Timestamp) -> Result<Value> {
    let answer = succeed(cloud, "FanOutFunction", &json!({"time": as_of.to_string()})).await?;
    cloud.wait_until_drained(PATIENCE, |_| {}).await?;
    Ok(answer)
}

/// Runs notify for a moment and returns its answer.
pub async fn notify(cloud: &LocalCloud, as_of: Timestamp) -> Result<Value> {
    succeed(cloud, "NotifyFunction", &json!({"time": as_of.to_string()})).await
}

/// Invokes a function that has to succeed.
pub async fn succeed(cloud: &LocalCloud, function: &str, event: &Value) -> Result<Value> {
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

/// The items of the organizations table by id.
pub async fn organizations(cloud: &LocalCloud) -> Result<BTreeMap<String, Value>> {
    let items = cloud.scan("OrganizationsTable").await?;
    items
        .into_iter()
        .map(|item| Ok((text(&item, "organization_id")?, item)))
        .collect()
}

/// How many organizations were last looked at before a moment.
pub async fn count_synced_before(cloud: &LocalCloud, moment: Timestamp) -> Result<usize> {
    let mut before = 0;
    for item in organizations(cloud).await?.values() {
        before += usize::from(text(item, "checked_at")?.parse::<Timestamp>()? < moment);
    }
    Ok(before)
}

/// Asserts that every organization is in the stage, and there for the reason, that the sandbox
/// expects.
pub async fn assert_stages(cloud: &LocalCloud, as_of: Timestamp) -> Result<()> {
    let organizations = organizations(cloud).await?;
    let mut differences = Vec::new();
    let mut expected = 0;
    for expectation in cloud.sandbox().population(as_of) {
        let Some(id) = expectation.organization_id else {
            continue;
        };
        expected += 1;
        let found = organizations
            .get(&id)
            .map(|item| (item["stage"].as_str(), item["stage_reason"].as_str()));
        let wanted = (
            expectation.expected_stage.as_deref(),
            expectation.expected_reason.as_deref(),
        );
        if found != Some(wanted) {
            differences.push(format!(
                "{id} ({}): expected {wanted:?}, found {found:?}",
                expectation.scenario
            ));
        }
    }
    ensure!(
        differences.is_empty(),
        "{} of {expected} organizations differ:\n{}",
        differences.len(),
        differences.join("\n")
    );
    ensure!(
        organizations.len() == expected,
        "{} organizations are known, {expected} were expected",
        organizations.len()
    );
    Ok(())
}

/// The outputs that name the functions.
const FUNCTIONS: [&str; 5] = [
    "FanOutFunction",
    "SyncOrganizationFunction",
    "NotifyFunction",
    "RecordFeedbackFunction",
    "PreferencesFunction",
];

/// Everything that the functions have logged.
pub async fn logs(cloud: &LocalCloud) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for function in FUNCTIONS {
        lines.extend(cloud.logs(function).await?);
    }
    Ok(lines)
}

/// A text attribute of an item.
pub fn text(item: &Value, attribute: &str) -> Result<String> {
    Ok(item[attribute]
        .as_str()
        .with_context(|| format!("{attribute} is no text in {item}"))?
        .to_owned())
}

/// An event of `tests/events`.
pub fn event(name: &str) -> Result<Value> {
    let path = local_cloud::workspace_root()
        .join("tests/events")
        .join(name);
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}
