//! A thousand deliveries of every kind, concurrent and shuffled: each organization with a signed
//! delivery is queued once a minute, and nothing else is queued.

mod deliveries;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use local_cloud::{HttpApi, LocalCloud, Options};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use self::deliveries::{
    Delivery, DeliveryKind, FORGED_PREFIX, NAME_ON_ACCOUNT, ORGANIZATIONS, all_deliveries,
};
use super::support::{KEY, store_key};
use crate::support::{now, options};

const CONCURRENCY: usize = 8;

/// The response to a delivery.
struct DeliveryResult {
    delivery: Delivery,
    status: StatusCode,
    is_empty: bool,
    /// The first and the last minute in which receive-events may have received it.
    minutes: (i64, i64),
}

#[tokio::test(flavor = "multi_thread")]
async fn only_signed_deliveries_are_queued_once_per_organization_and_minute() -> Result<()> {
    let cloud = LocalCloud::start(Options {
        organizations: 1,
        ..options()
    })
    .await?;
    store_key(&cloud).await?;
    disable_queue_consumers(&cloud).await?;

    let api = cloud.api()?;
    let started = Instant::now();
    let results: Vec<DeliveryResult> = stream::iter(all_deliveries()?)
        .map(|delivery| send(&api, delivery))
        .buffer_unordered(CONCURRENCY)
        .try_collect()
        .await?;
    print_results(&results, started.elapsed());

    each_delivery_gets_its_expected_status(&results)?;
    each_signed_organization_is_queued_once_a_minute(&cloud, &results).await?;
    all_other_queues_are_empty(&cloud).await?;
    logs_contain_no_delivery_contents(&cloud).await
}

/// Disables the event source mappings, so that all messages stay in the queue.
async fn disable_queue_consumers(cloud: &LocalCloud) -> Result<()> {
    let mappings = cloud
        .lambda()
        .list_event_source_mappings()
        .function_name(cloud.output("SyncOrganizationFunction")?)
        .send()
        .await?;

    for mapping in mappings.event_source_mappings() {
        let uuid = mapping.uuid().context("a mapping without an id")?;
        cloud
            .lambda()
            .update_event_source_mapping()
            .uuid(uuid)
            .enabled(false)
            .send()
            .await?;
    }
    Ok(())
}

async fn send(api: &HttpApi, delivery: Delivery) -> Result<DeliveryResult> {
    let mut request = api
        .request(Method::POST, "/bill/events")
        .header("content-type", delivery.content_type);
    if let Some(signature) = &delivery.signature {
        request = request.header("x-bill-sha-signature", signature);
    }

    let first_minute = minute(now());
    let response = request.body(delivery.body.clone()).send().await?;
    let minutes = (first_minute, minute(now()));
    let status = response.status();

    Ok(DeliveryResult {
        delivery,
        status,
        is_empty: response.text().await?.is_empty(),
        minutes,
    })
}

fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}

fn each_delivery_gets_its_expected_status(results: &[DeliveryResult]) -> Result<()> {
    let wrong: Vec<_> = results
        .iter()
        .filter(|result| result.status != result.delivery.expected || !result.is_empty)
        .map(|result| {
            let body = if result.is_empty { "" } else { " with a body" };
            format!(
                "{:?} of {} bytes: {}{body}, expected {}",
                result.delivery.kind,
                result.delivery.body.len(),
                result.status,
                result.delivery.expected
            )
        })
        .collect();

    ensure!(
        wrong.is_empty(),
        "{} deliveries got a wrong response:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    Ok(())
}

/// An organization has one message for a minute exactly if a signed delivery arrived in it.
async fn each_signed_organization_is_queued_once_a_minute(
    cloud: &LocalCloud,
    results: &[DeliveryResult],
) -> Result<()> {
    let queued = queued_windows(cloud).await?;
    let signed = || {
        results
            .iter()
            .filter_map(|result| Some((result.delivery.organization.as_ref()?, result.minutes)))
    };

    for (organization, minute) in &queued {
        let has_cause = signed().any(|(signed, (first, last))| {
            signed == organization && (first..=last).contains(minute)
        });
        ensure!(
            has_cause,
            "{organization} was queued for the minute {minute} without a signed delivery"
        );
    }
    for (organization, (first, last)) in signed() {
        let is_queued =
            (first..=last).any(|minute| queued.contains(&(organization.clone(), minute)));
        ensure!(
            is_queued,
            "{organization} was not queued for the minute {first}"
        );
    }

    print_messages(&queued);
    Ok(())
}

/// Organization and minute of each message of the events queue. `Err` also when one is repeated.
async fn queued_windows(cloud: &LocalCloud) -> Result<BTreeSet<(String, i64)>> {
    let mut queued = BTreeSet::new();
    for message in cloud.queued_events().await? {
        let body: Value = serde_json::from_str(&message.body)?;
        let organization = body["organization"]["id"]
            .as_str()
            .context("no organization")?
            .to_owned();
        let events_until: Timestamp = body["events_until"]
            .as_str()
            .context("no events_until")?
            .parse()?;

        let window = (organization, minute(events_until) - 1);
        ensure!(queued.insert(window.clone()), "{window:?} was queued twice");
    }
    Ok(queued)
}

async fn all_other_queues_are_empty(cloud: &LocalCloud) -> Result<()> {
    let queues: Vec<&str> = cloud
        .outputs()
        .iter()
        .map(|(name, _)| name)
        .filter(|name| name.ends_with("QueueUrl"))
        .collect();
    ensure!(queues.len() > 5, "only {queues:?}");

    for queue in queues.into_iter().filter(|name| *name != "EventsQueueUrl") {
        let messages = cloud.messages(queue).await?;
        ensure!(messages.is_empty(), "{queue}: {messages:?}");
    }
    Ok(())
}

async fn logs_contain_no_delivery_contents(cloud: &LocalCloud) -> Result<()> {
    let lines = cloud.logs("ReceiveEventsFunction").await?;
    ensure!(lines.len() > 1_000, "only {} log lines", lines.len());

    for private in [KEY, NAME_ON_ACCOUNT, "SCHEDULED", FORGED_PREFIX] {
        let found = lines.iter().find(|line| line.contains(private));
        ensure!(
            found.is_none(),
            "{private:?} is in the log line {}",
            found.map_or("", String::as_str)
        );
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "figures for whoever runs the tests")]
fn print_results(results: &[DeliveryResult], elapsed: Duration) {
    let mut statuses = BTreeMap::<DeliveryKind, BTreeMap<u16, usize>>::new();
    for result in results {
        *statuses
            .entry(result.delivery.kind)
            .or_default()
            .entry(result.status.as_u16())
            .or_default() += 1;
    }

    println!(
        "{} deliveries, {CONCURRENCY} concurrent, in {:.1} s; by kind and status:",
        results.len(),
        elapsed.as_secs_f64()
    );
    for (kind, statuses) in statuses {
        println!("  {:12} {statuses:?}", format!("{kind:?}"));
    }
}

#[expect(clippy::print_stdout, reason = "figures for whoever runs the tests")]
fn print_messages(queued: &BTreeSet<(String, i64)>) {
    let minutes: BTreeSet<i64> = queued.iter().map(|(_, minute)| *minute).collect();

    println!(
        "{} messages queued, of {ORGANIZATIONS} organizations in {} minutes, 0 duplicates",
        queued.len(),
        minutes.len()
    );
}
