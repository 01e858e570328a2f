//! Events whose organization cannot be looked at: none is lost, and each ends as `docs/webhooks.md`
//! says.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use local_cloud::LocalCloud;
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{message, queued};
use crate::support::{now, organizations, succeed, text};

const WINDOW_OPEN: SignedDuration = SignedDuration::from_secs(60);
const WINDOW_CLOSED: SignedDuration = SignedDuration::from_secs(-4);

/// Leaves the hour without a request to BILL, and a dead letter.
pub async fn event_is_not_lost_when_its_sync_fails(cloud: &LocalCloud) -> Result<()> {
    sleep(Duration::from_secs(3)).await; // so that the last looks were before what follows takes for the end of a minute
    let [refused, unnamed, silent, last] = &four(cloud).await?;
    refused_sync_is_retried_until_its_window_ends(cloud, refused).await?;
    last_known_list_row_is_used_while_listing_is_refused(cloud, unnamed).await?;
    unavailable_organization_is_made_due_after_three_receives(cloud, silent).await?;
    exhausted_budget_makes_the_organization_due_and_unreadable_message_is_dead_lettered(cloud, last)
        .await
}

/// Organizations that are not due, and of which no event is waiting.
async fn four(cloud: &LocalCloud) -> Result<[String; 4]> {
    let mut found = Vec::new();
    for (id, item) in organizations(cloud).await? {
        if item["stage"] != "closed"
            && item["stage"] != "enrolling"
            && !is_due(&item)?
            && queued(cloud, &id).await? == 0
        {
            found.push(id);
        }
    }
    found.truncate(4);
    found
        .try_into()
        .map_err(|found| anyhow::anyhow!("only {found:?} can be looked at"))
}

async fn refused_sync_is_retried_until_its_window_ends(cloud: &LocalCloud, id: &str) -> Result<()> {
    fail(cloud, "listPartnerUsers", Some(id), (403, None));
    ensure!(
        deliver_message(cloud, id, WINDOW_OPEN, 1).await? == Left::Returned,
        "further events of the minute would be dropped"
    );
    ensure!(
        deliver_message(cloud, id, WINDOW_CLOSED, 2).await? == Left::Done,
        "a refusal is repeated"
    );
    let item = item(cloud, id).await?;
    ensure!(item["sync_error"] == "bill_refused", "{item}");
    let pause = text(&item, "next_check_at")?
        .parse::<Timestamp>()?
        .duration_since(now());
    ensure!(
        pause > SignedDuration::from_hours(23) && pause <= SignedDuration::from_hours(24),
        "{item}"
    );
    cloud.sandbox().clear_faults();
    Ok(())
}

async fn last_known_list_row_is_used_while_listing_is_refused(
    cloud: &LocalCloud,
    id: &str,
) -> Result<()> {
    let before = item(cloud, id).await?;
    fail(cloud, "listPartnerOrganizations", None, (403, None));
    ensure!(
        deliver_message(cloud, id, WINDOW_CLOSED, 1).await? == Left::Done,
        "it was not looked at"
    );
    cloud.sandbox().clear_faults();
    let after = item(cloud, id).await?;
    ensure!(
        after["version"].as_u64() > before["version"].as_u64() && after["name"] == before["name"],
        "{before} {after}"
    );
    ensure!(
        after["stage"] == before["stage"] && after["sync_error"].is_null(),
        "{before} {after}"
    );
    Ok(())
}

async fn unavailable_organization_is_made_due_after_three_receives(
    cloud: &LocalCloud,
    id: &str,
) -> Result<()> {
    let before = item(cloud, id).await?;
    fail(cloud, "listPartnerUsers", Some(id), (503, None));
    for receipt in 1..=2 {
        ensure!(
            deliver_message(cloud, id, WINDOW_CLOSED, receipt).await? == Left::Returned,
            "it was given up at receipt {receipt}"
        );
        ensure!(
            item(cloud, id).await? == before,
            "receipt {receipt} left something"
        );
    }
    ensure!(
        deliver_message(cloud, id, WINDOW_CLOSED, 3).await? == Left::Done,
        "it is not left to the sweep"
    );
    cloud.sandbox().clear_faults();
    let item = item(cloud, id).await?;
    ensure!(
        is_due(&item)? && item["sync_error"] == "bill_unavailable",
        "{item}"
    );
    Ok(())
}

async fn exhausted_budget_makes_the_organization_due_and_unreadable_message_is_dead_lettered(
    cloud: &LocalCloud,
    id: &str,
) -> Result<()> {
    fail(cloud, "listPartnerUsers", Some(id), (422, Some("BDC_1144")));
    ensure!(
        deliver_message(cloud, id, WINDOW_OPEN, 1).await? == Left::Returned,
        "further events of the minute would be dropped"
    );
    ensure!(is_due(&item(cloud, id).await?)?, "it waits for its turn");
    cloud.sandbox().clear_faults();
    // From here on the hour is closed, unless a new one has begun.
    let mut batch = message(id, now(), now() + WINDOW_CLOSED);
    let records = batch["Records"].as_array_mut().context("no records")?;
    let mut unreadable = records[0].clone();
    (unreadable["messageId"], unreadable["body"]) = (json!("2"), json!("not a request"));
    records.push(unreadable);
    let answer = succeed(cloud, "SyncOrganizationFunction", &batch).await?;
    ensure!(answer["batchItemFailures"] == json!([]), "{answer}");
    let letters: Vec<String> = cloud
        .dead_letters()
        .await?
        .into_iter()
        .map(|letter| letter.body)
        .collect();
    ensure!(letters == ["not a request"], "{letters:?}");
    Ok(())
}

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
enum Left {
    Done,
    Returned,
}

/// Hands over an event's message whose minute ends so long after now, at its nth receipt.
async fn deliver_message(
    cloud: &LocalCloud,
    id: &str,
    window_ends_in: SignedDuration,
    receipt: u32,
) -> Result<Left> {
    let mut batch = message(id, now(), now() + window_ends_in);
    batch["Records"][0]["attributes"]["ApproximateReceiveCount"] = json!(receipt.to_string());
    let answer = succeed(cloud, "SyncOrganizationFunction", &batch).await?;
    Ok(if answer["batchItemFailures"] == json!([]) {
        Left::Done
    } else {
        Left::Returned
    })
}

fn fail(
    cloud: &LocalCloud,
    endpoint: &str,
    organization: Option<&str>,
    (status, code): (u16, Option<&str>),
) {
    let kind = FaultKind::Status {
        status,
        code: code.map(str::to_owned),
        retry_after: None,
    };
    let (endpoint, organization_id) = (Some(endpoint.to_owned()), organization.map(str::to_owned));
    cloud.sandbox().fault(Fault {
        endpoint,
        organization_id,
        kind,
        times: None,
    });
}

fn is_due(item: &Value) -> Result<bool> {
    Ok(text(item, "next_check_at")?.parse::<Timestamp>()? <= now())
}

async fn item(cloud: &LocalCloud, id: &str) -> Result<Value> {
    organizations(cloud)
        .await?
        .remove(id)
        .with_context(|| format!("{id} is not known"))
}
