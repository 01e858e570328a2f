//! Events whose organization cannot be synced: none is lost, and each is handled as
//! `docs/webhooks.md` describes.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use jiff::{SignedDuration, Timestamp};
use local_cloud::LocalCloud;
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::support::{count_queued, event_batch};
use crate::support::{invoke_ok, now, organizations, text_attribute};

/// The event window ends in a minute.
const WINDOW_OPEN: SignedDuration = SignedDuration::from_secs(60);

/// The event window ended four seconds ago.
const WINDOW_CLOSED: SignedDuration = SignedDuration::from_secs(-4);

/// Exhausts the hourly budget and leaves one dead letter.
pub async fn event_is_not_lost_when_its_sync_fails(cloud: &LocalCloud) -> Result<()> {
    sleep(Duration::from_secs(3)).await; // so that the last syncs are older than `WINDOW_CLOSED`
    let [refused, unlisted, unavailable, last] = &four_idle_organizations(cloud).await?;

    refused_sync_is_retried_until_its_window_ends(cloud, refused).await?;
    last_known_list_row_is_used_while_listing_is_refused(cloud, unlisted).await?;
    unavailable_organization_is_made_due_and_retried_twice(cloud, unavailable).await?;
    exhausted_budget_makes_the_organization_due_and_unreadable_message_is_dead_lettered(cloud, last)
        .await
}

/// Organizations that are not due and have no event in the queue.
async fn four_idle_organizations(cloud: &LocalCloud) -> Result<[String; 4]> {
    let mut found = Vec::new();
    for (id, item) in organizations(cloud).await? {
        if item["stage"] != "closed"
            && item["stage"] != "enrolling"
            && !is_due(&item)?
            && count_queued(cloud, &id).await? == 0
        {
            found.push(id);
        }
    }

    found.truncate(4);
    found
        .try_into()
        .map_err(|found| anyhow!("only {found:?} are idle"))
}

async fn refused_sync_is_retried_until_its_window_ends(cloud: &LocalCloud, id: &str) -> Result<()> {
    inject_failure(cloud, "listPayments", Some(id), (403, None));

    ensure!(
        deliver_message(cloud, id, WINDOW_OPEN, 1).await? == MessageOutcome::Returned,
        "later events of the same window would be lost by deduplication"
    );
    ensure!(
        deliver_message(cloud, id, WINDOW_CLOSED, 2).await? == MessageOutcome::Deleted,
        "a refused sync is retried after its window"
    );

    let item = organization_item(cloud, id).await?;
    ensure!(item["sync_error"] == "bill_refused", "{item}");
    let next_check_at: Timestamp = text_attribute(&item, "next_check_at")?.parse()?;
    let delay = next_check_at.duration_since(now());
    ensure!(
        delay > SignedDuration::from_hours(23) && delay <= SignedDuration::from_hours(24),
        "{item}"
    );
    cloud.sandbox().clear_faults();
    Ok(())
}

async fn last_known_list_row_is_used_while_listing_is_refused(
    cloud: &LocalCloud,
    id: &str,
) -> Result<()> {
    let before = organization_item(cloud, id).await?;
    inject_failure(cloud, "listPartnerOrganizations", None, (403, None));

    ensure!(
        deliver_message(cloud, id, WINDOW_CLOSED, 1).await? == MessageOutcome::Deleted,
        "the organization was not synced"
    );

    cloud.sandbox().clear_faults();
    let after = organization_item(cloud, id).await?;
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

async fn unavailable_organization_is_made_due_and_retried_twice(
    cloud: &LocalCloud,
    id: &str,
) -> Result<()> {
    inject_failure(cloud, "listPayments", Some(id), (503, None));

    for receive_count in 1..=2 {
        ensure!(
            deliver_message(cloud, id, WINDOW_CLOSED, receive_count).await?
                == MessageOutcome::Returned,
            "the message was deleted at receive {receive_count}"
        );
        let item = organization_item(cloud, id).await?;
        ensure!(
            is_due(&item)? && item["sync_error"] == "bill_unavailable",
            "receive {receive_count}: {item}"
        );
    }
    ensure!(
        deliver_message(cloud, id, WINDOW_CLOSED, 3).await? == MessageOutcome::Deleted,
        "the message was returned after three receives"
    );

    cloud.sandbox().clear_faults();
    Ok(())
}

async fn exhausted_budget_makes_the_organization_due_and_unreadable_message_is_dead_lettered(
    cloud: &LocalCloud,
    id: &str,
) -> Result<()> {
    let exhausted = (422, Some("BDC_1144"));
    inject_failure(cloud, "listPayments", Some(id), exhausted);
    ensure!(
        deliver_message(cloud, id, WINDOW_OPEN, 1).await? == MessageOutcome::Returned,
        "later events of the same window would be lost by deduplication"
    );
    ensure!(
        is_due(&organization_item(cloud, id).await?)?,
        "the organization is not due"
    );
    cloud.sandbox().clear_faults();

    // From here on the hour's budget is spent, unless a new hour has begun.
    let mut batch = event_batch(id, now(), now() + WINDOW_CLOSED);
    let records = batch["Records"].as_array_mut().context("no records")?;
    let mut unreadable = records[0].clone();
    unreadable["messageId"] = json!("2");
    unreadable["body"] = json!("not a request");
    records.push(unreadable);
    let response = invoke_ok(cloud, "SyncOrganizationFunction", &batch).await?;
    ensure!(response["batchItemFailures"] == json!([]), "{response}");

    let dead_letters: Vec<String> = cloud
        .dead_letters()
        .await?
        .into_iter()
        .map(|dead_letter| dead_letter.body)
        .collect();
    ensure!(dead_letters == ["not a request"], "{dead_letters:?}");
    Ok(())
}

/// What SQS does with a message after an invocation.
#[derive(Debug, PartialEq, Eq)]
enum MessageOutcome {
    Deleted,
    Returned,
}

/// Invokes sync-organization with the message of an event whose window ends that long after now,
/// as SQS does at the `receive_count`th receive.
async fn deliver_message(
    cloud: &LocalCloud,
    id: &str,
    window_ends_in: SignedDuration,
    receive_count: u32,
) -> Result<MessageOutcome> {
    let mut batch = event_batch(id, now(), now() + window_ends_in);
    batch["Records"][0]["attributes"]["ApproximateReceiveCount"] = json!(receive_count.to_string());

    let response = invoke_ok(cloud, "SyncOrganizationFunction", &batch).await?;
    Ok(if response["batchItemFailures"] == json!([]) {
        MessageOutcome::Deleted
    } else {
        MessageOutcome::Returned
    })
}

/// Lets the sandbox fail requests to an endpoint, of one organization or of all, with a status and
/// an error code of BILL.
fn inject_failure(
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

    cloud.sandbox().add_fault(Fault {
        endpoint: Some(endpoint.to_owned()),
        organization_id: organization.map(str::to_owned),
        kind,
        times: None,
    });
}

fn is_due(item: &Value) -> Result<bool> {
    let next_check_at: Timestamp = text_attribute(item, "next_check_at")?.parse()?;

    Ok(next_check_at <= now())
}

async fn organization_item(cloud: &LocalCloud, id: &str) -> Result<Value> {
    organizations(cloud)
        .await?
        .remove(id)
        .with_context(|| format!("{id} has no item"))
}
