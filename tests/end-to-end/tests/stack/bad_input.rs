//! Invalid rows and poison messages: they are counted or moved to the dead-letter queue, and do not
//! affect other organizations.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use local_cloud::{LocalCloud, Options};
use serde_json::{Value, json};

use crate::support::{assert_stages, logs, notify, now, options, organizations, sweep};

#[tokio::test(flavor = "multi_thread")]
async fn invalid_rows_and_poison_messages_do_not_affect_others() -> Result<()> {
    let cloud = LocalCloud::start(Options {
        organizations: 90,
        bad_records: true,
        ..options()
    })
    .await?;
    let as_of = now();

    invalid_rows_are_skipped_and_counted(&cloud, as_of).await?;
    only_poison_messages_reach_the_dead_letter_queue(&cloud, as_of).await?;
    paused_notify_changes_nothing(&cloud, as_of).await
}

async fn invalid_rows_are_skipped_and_counted(cloud: &LocalCloud, as_of: Timestamp) -> Result<()> {
    let response = sweep(cloud, as_of).await?;

    ensure!(response["skipped"].as_u64() > Some(0), "{response}");
    assert_stages(cloud, as_of).await?;
    ensure!(
        cloud.dead_letters().await?.is_empty(),
        "an invalid row became a dead letter"
    );

    let lines = logs(cloud).await?;
    for metric in ["organizations_skipped", "payments_skipped"] {
        ensure!(metric_sum(&lines, metric) > 0.0, "{metric} was not counted");
    }
    ensure!(
        !lines.iter().any(|line| line.contains("panicked")),
        "a function panicked"
    );
    Ok(())
}

async fn only_poison_messages_reach_the_dead_letter_queue(
    cloud: &LocalCloud,
    as_of: Timestamp,
) -> Result<()> {
    const VALID_IDS: [&str; 2] = ["00899BYHAND0000000a", "00899BYHAND0000000b"];

    let later = as_of + SignedDuration::from_hours(1);
    let valid = VALID_IDS.map(|id| {
        let organization = json!({"id": id, "name": "By Hand", "archived": true});
        json!({
            "schema_version": 1,
            "run_id": "by-hand",
            "organization": organization,
            "as_of": later.to_string(),
        })
        .to_string()
    });
    let message_of_version = |version: u32| {
        json!({
            "schema_version": version,
            "run_id": "x",
            "organization": {"id": "008"},
            "as_of": "2026-01-01T00:00:00Z",
        })
        .to_string()
    };
    let newer = message_of_version(2); // completed and counted
    let poison = [
        "not JSON at all".to_owned(),
        json!({"schema_version": 1}).to_string(),
        message_of_version(0),
        "[]".to_owned(),
    ];

    for body in poison.iter().chain(&valid).chain([&newer]) {
        cloud
            .sqs()
            .send_message()
            .queue_url(cloud.output("SyncQueueUrl")?)
            .message_body(body)
            .send()
            .await?;
    }
    cloud
        .wait_until_drained(Duration::from_mins(2), |_| {})
        .await?;

    let mut dead_letters: Vec<String> = cloud
        .dead_letters()
        .await?
        .into_iter()
        .map(|dead_letter| dead_letter.body)
        .collect();
    let mut expected = poison.to_vec();
    dead_letters.sort();
    expected.sort();
    ensure!(dead_letters == expected, "dead letters: {dead_letters:?}");
    ensure!(
        metric_sum(&logs(cloud).await?, "items_newer") > 0.0,
        "the newer message was not counted"
    );

    let organizations = organizations(cloud).await?;
    for id in VALID_IDS {
        let item = organizations
            .get(id)
            .context("a valid message was lost beside a poison message")?;
        ensure!(item["stage"] == "closed", "{item}");
    }
    Ok(())
}

async fn paused_notify_changes_nothing(cloud: &LocalCloud, as_of: Timestamp) -> Result<()> {
    let notices = cloud.scan("NoticesTable").await?;
    ensure!(!notices.is_empty(), "no notice is due");
    cloud
        .ssm()
        .put_parameter()
        .name(cloud.output("PauseParameter")?)
        .value("true")
        .overwrite(true)
        .send()
        .await?;

    let response = notify(cloud, as_of).await?;

    ensure!(response["outcome"] == "paused", "{response}");
    ensure!(
        cloud.scan("NoticesTable").await? == notices,
        "a notice changed"
    );
    ensure!(cloud.sent_emails().await?.is_empty(), "an e-mail was sent");
    Ok(())
}

/// The sum of a metric over all metric lines.
fn metric_sum(lines: &[String], metric: &str) -> f64 {
    lines
        .iter()
        .filter_map(|line| {
            serde_json::from_str::<Value>(line)
                .ok()?
                .get(metric)?
                .as_f64()
        })
        .sum()
}
