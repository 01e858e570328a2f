//! Bad rows and poison messages: counted, set aside, and harmless to their neighbours.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
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

async fn invalid_rows_are_skipped_and_counted(
    cloud: &LocalCloud,
    as_of: jiff::Timestamp,
) -> Result<()> {
    let answer = sweep(cloud, as_of).await?;
    ensure!(answer["skipped"].as_u64() > Some(0), "{answer}");
    assert_stages(cloud, as_of).await?;
    ensure!(
        cloud.dead_letters().await?.is_empty(),
        "a bad row became a dead letter"
    );
    let lines = logs(cloud).await?;
    for metric in ["organizations_skipped", "payments_skipped"] {
        ensure!(total(&lines, metric) > 0.0, "{metric} was not counted");
    }
    ensure!(
        !lines.iter().any(|line| line.contains("panicked")),
        "a function panicked"
    );
    Ok(())
}

async fn only_poison_messages_reach_the_dead_letter_queue(
    cloud: &LocalCloud,
    as_of: jiff::Timestamp,
) -> Result<()> {
    let later = as_of + jiff::SignedDuration::from_hours(1);
    let good = |id: &str| json!({"schema_version": 1, "run_id": "by-hand", "organization": {"id": id, "name": "By Hand", "archived": true}, "as_of": later.to_string()});
    let poison = [
        "not JSON at all",
        "{\"schema_version\":1}",
        "{\"schema_version\":2,\"run_id\":\"x\",\"organization\":{\"id\":\"008\"},\"as_of\":\"2026-01-01T00:00:00Z\"}",
        "[]",
    ];
    let bodies = poison
        .iter()
        .map(ToString::to_string)
        .chain(["00899BYHAND0000000a", "00899BYHAND0000000b"].map(|id| good(id).to_string()));
    for body in bodies {
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
    let mut parked: Vec<String> = cloud
        .dead_letters()
        .await?
        .into_iter()
        .map(|letter| letter.body)
        .collect();
    parked.sort();
    let mut expected: Vec<String> = poison.map(str::to_owned).to_vec();
    expected.sort();
    ensure!(parked == expected, "dead letters: {parked:?}");
    let organizations = organizations(cloud).await?;
    for id in ["00899BYHAND0000000a", "00899BYHAND0000000b"] {
        let item = organizations
            .get(id)
            .context("a good message was lost beside a poison one")?;
        ensure!(item["stage"] == "closed", "{item}");
    }
    Ok(())
}

async fn paused_notify_changes_nothing(cloud: &LocalCloud, as_of: jiff::Timestamp) -> Result<()> {
    let notices = cloud.scan("NoticesTable").await?;
    ensure!(!notices.is_empty(), "no notice is due");
    let parameter = cloud.output("PauseParameter")?;
    cloud
        .ssm()
        .put_parameter()
        .name(parameter)
        .value("true")
        .overwrite(true)
        .send()
        .await?;
    let answer = notify(cloud, as_of).await?;
    ensure!(answer["outcome"] == "paused", "{answer}");
    ensure!(
        cloud.scan("NoticesTable").await? == notices,
        "a notice was touched"
    );
    ensure!(cloud.sent_emails().await?.is_empty(), "mail was sent");
    Ok(())
}

/// Sum of a metric over all metric lines.
fn total(lines: &[String], metric: &str) -> f64 {
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
