//! A thousand deliveries of every kind, side by side and in disorder: what BILL signed is queued
//! once a minute for each organization, and nothing else is.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use bill::events::SecurityKey;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use local_cloud::{Api, LocalCloud, Options};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{KEY, store_key};
use crate::support::{now, options};

const SEED: u64 = 20_261_123;
const CONCURRENCY: usize = 8;
/// Deliveries that BILL makes once.
const GENUINE: usize = 40;
/// Organizations that BILL tells of.
const ORGANIZATIONS: usize = 7;
/// Longest body that `receive-events` reads, in bytes.
const MAX_BODY_BYTES: usize = 256 * 1024;
/// Stands in each body that BILL signed.
const NAME_ON_ACCOUNT: &str = "Marisol Quebrada";

/// How many there are of each kind: a thousand together.
const DELIVERIES: [(Kind, usize); 9] = [
    (Kind::Genuine, GENUINE),
    (Kind::Replayed, 160),
    (Kind::Unsigned, 150),
    (Kind::Forged, 150),
    (Kind::Truncated, 120),
    (Kind::Reordered, 120),
    (Kind::Oversized, 60),
    (Kind::OtherType, 100),
    (Kind::RandomBytes, 100),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// As BILL sends it.
    Genuine,
    /// Body and signature of a genuine one once more.
    Replayed,
    /// No signature; some are random bytes, some oversized.
    Unsigned,
    /// Signed with another key, with the signature of another body, or with what is no signature.
    Forged,
    /// The end is missing of what was signed.
    Truncated,
    /// The fields that were signed, in another order.
    Reordered,
    /// Signed, and longer than any body that is read.
    Oversized,
    /// Signed, of a type that nobody asked for.
    OtherType,
    /// Signed, and no notification.
    RandomBytes,
}

/// What is sent, and what has to come of it.
struct Delivery {
    kind: Kind,
    content_type: &'static str,
    signature: Option<String>,
    body: Vec<u8>,
    expected: StatusCode,
    /// The organization to be queued.
    organization: Option<String>,
}

/// A delivery that was answered.
struct Answered {
    delivery: Delivery,
    status: StatusCode,
    is_empty: bool,
    /// The first and the last minute in which it may have arrived.
    minutes: (i64, i64),
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_deliveries_each_signed_organization_is_queued_once_a_minute_and_nothing_else_is()
-> Result<()> {
    let cloud = LocalCloud::start(Options {
        organizations: 1,
        ..options()
    })
    .await?;
    store_key(&cloud).await?;
    disable_queue_consumers(&cloud).await?;
    let api = cloud.api()?;
    let started = Instant::now();
    let sent = stream::iter(deliveries()?)
        .map(|delivery| send(&api, delivery))
        .buffer_unordered(CONCURRENCY);
    let answers: Vec<Answered> = sent.try_collect().await?;
    print_answers(&answers, started.elapsed());
    each_delivery_gets_its_expected_status(&answers)?;
    each_signed_organization_is_queued_once_a_minute(&cloud, &answers).await?;
    all_other_queues_are_empty(&cloud).await?;
    logs_contain_no_delivery_contents(&cloud).await
}

/// Nobody takes them out, so that all that were ever sent can be counted.
async fn disable_queue_consumers(cloud: &LocalCloud) -> Result<()> {
    let function = cloud.output("SyncOrganizationFunction")?;
    let mappings = cloud
        .lambda()
        .list_event_source_mappings()
        .function_name(function)
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

/// All deliveries in an order that the seed gives.
fn deliveries() -> Result<Vec<Delivery>> {
    let mut draw = StdRng::seed_from_u64(SEED);
    let mut deliveries = Vec::new();
    for (kind, count) in DELIVERIES {
        for number in 0..count {
            deliveries.push(delivery(kind, number, &mut draw)?);
        }
    }
    ensure!(deliveries.len() == 1_000, "{} deliveries", deliveries.len());
    deliveries.shuffle(&mut draw);
    Ok(deliveries)
}

/// The `number`th of a kind. What is not to be queued names organizations of its own, so that its
/// acceptance would be seen.
fn delivery(kind: Kind, number: usize, draw: &mut StdRng) -> Result<Delivery> {
    let forged = notification("FORGED", number, "payment.updated");
    let delivery = |signature: Option<String>, body: Vec<u8>, expected| Delivery {
        kind,
        content_type: "application/json",
        signature,
        body,
        expected,
        organization: None,
    };
    Ok(match kind {
        Kind::Genuine | Kind::Replayed => {
            let number = number % GENUINE;
            let body = notification("GENUINE", number, "payment.updated").into_bytes();
            Delivery {
                organization: Some(organization("GENUINE", number)),
                ..delivery(Some(sign(KEY, &body)?), body, StatusCode::OK)
            }
        }
        Kind::Unsigned => {
            let body = match number % 10 {
                0 => padded(forged, MAX_BODY_BYTES + 1),
                1..4 => bytes(draw),
                _ => forged.into_bytes(),
            };
            delivery(None, body, StatusCode::UNAUTHORIZED)
        }
        Kind::Forged => {
            let signature = match number % 5 {
                0 => sign(
                    KEY,
                    notification("GENUINE", number, "payment.updated").as_bytes(),
                )?,
                1 => "deadbeef".repeat(8),
                2 => String::new(),
                3 => sign(KEY, forged.as_bytes())?.to_lowercase(),
                _ => sign("another key", forged.as_bytes())?,
            };
            delivery(
                Some(signature),
                forged.into_bytes(),
                StatusCode::UNAUTHORIZED,
            )
        }
        Kind::Truncated => {
            let kept = draw.random_range(0..forged.len());
            delivery(
                Some(sign(KEY, forged.as_bytes())?),
                forged.as_bytes()[..kept].to_vec(),
                StatusCode::UNAUTHORIZED,
            )
        }
        Kind::Reordered => {
            let fields: Value = serde_json::from_str(&forged)?;
            let body = format!(
                r#"{{"payment":{},"metadata":{}}}"#,
                fields["payment"], fields["metadata"]
            );
            ensure!(
                body != forged && serde_json::from_str::<Value>(&body)? == fields,
                "not the same in another order: {body}"
            );
            delivery(
                Some(sign(KEY, forged.as_bytes())?),
                body.into_bytes(),
                StatusCode::UNAUTHORIZED,
            )
        }
        Kind::Oversized => {
            let body = padded(forged, MAX_BODY_BYTES + 1 + draw.random_range(0..100_000));
            delivery(Some(sign(KEY, &body)?), body, StatusCode::PAYLOAD_TOO_LARGE)
        }
        Kind::OtherType => {
            let other = [
                "invoice.created",
                "payment.approved",
                "Payment.Updated",
                "vendor.updated",
            ][number % 4];
            let body = notification("FORGED", number, other).into_bytes();
            delivery(Some(sign(KEY, &body)?), body, StatusCode::OK)
        }
        Kind::RandomBytes => {
            let body = bytes(draw);
            let signature = Some(sign(KEY, &body)?);
            // Of a type that is text, the API hands on text: bytes that are none are no longer
            // those that were signed.
            match number % 2 {
                0 => delivery(signature, body, StatusCode::UNAUTHORIZED),
                _ => Delivery {
                    content_type: "application/octet-stream",
                    ..delivery(signature, body, StatusCode::OK)
                },
            }
        }
    })
}

fn notification(name: &str, number: usize, event_type: &str) -> String {
    let metadata = json!({
        "eventId": format!("{name}-{number}"), "organizationId": organization(name, number), "eventType": event_type, "version": "1",
    });
    json!({"metadata": metadata, "payment": {"status": "SCHEDULED", "nameOnAccount": NAME_ON_ACCOUNT}}).to_string()
}

fn organization(name: &str, number: usize) -> String {
    format!("00802{name}{}", number % ORGANIZATIONS)
}

/// The same JSON, as long as that.
fn padded(json: String, length: usize) -> Vec<u8> {
    let mut body = json.into_bytes();
    body.resize(length, b' ');
    body
}

/// Bytes that are neither UTF-8 nor JSON.
fn bytes(draw: &mut StdRng) -> Vec<u8> {
    let mut bytes = vec![0xff; draw.random_range(2..2_000)];
    draw.fill(&mut bytes[1..]);
    bytes
}

fn sign(key: &str, body: &[u8]) -> Result<String> {
    Ok(SecurityKey::new(key.to_owned())
        .context("an empty key")?
        .sign(body))
}

async fn send(api: &Api, delivery: Delivery) -> Result<Answered> {
    let mut request = api
        .request(Method::POST, "/bill/events")
        .header("content-type", delivery.content_type);
    if let Some(signature) = &delivery.signature {
        request = request.header("x-bill-sha-signature", signature);
    }
    let begun = minute(now());
    let answer = request.body(delivery.body.clone()).send().await?;
    let minutes = (begun, minute(now()));
    let status = answer.status();
    Ok(Answered {
        delivery,
        status,
        is_empty: answer.text().await?.is_empty(),
        minutes,
    })
}

fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}

fn each_delivery_gets_its_expected_status(answers: &[Answered]) -> Result<()> {
    let wrong = answers
        .iter()
        .filter(|answer| answer.status != answer.delivery.expected || !answer.is_empty);
    let wrong: Vec<_> = wrong
        .map(
            |Answered {
                 delivery,
                 status,
                 is_empty,
                 ..
             }| {
                let words = if *is_empty { "" } else { " with words" };
                format!(
                    "{:?} of {} bytes: {status}{words}, not {}",
                    delivery.kind,
                    delivery.body.len(),
                    delivery.expected
                )
            },
        )
        .collect();
    ensure!(
        wrong.is_empty(),
        "{} deliveries were answered wrongly:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    Ok(())
}

/// A message stands for an organization and a minute, so each has one exactly if a signed delivery
/// arrived.
async fn each_signed_organization_is_queued_once_a_minute(
    cloud: &LocalCloud,
    answers: &[Answered],
) -> Result<()> {
    let mut queued = BTreeSet::new();
    for message in cloud.queued_events().await? {
        let body: Value = serde_json::from_str(&message.body)?;
        let organization = body["organization"]["id"]
            .as_str()
            .context("no organization")?
            .to_owned();
        let events_until: Timestamp = body["events_until"]
            .as_str()
            .context("no minute")?
            .parse()?;
        let window = (organization, minute(events_until) - 1);
        ensure!(queued.insert(window.clone()), "{window:?} was queued twice");
    }
    let signed = || {
        answers
            .iter()
            .filter_map(|answer| Some((answer.delivery.organization.as_ref()?, answer.minutes)))
    };
    for (organization, minute) in &queued {
        let has_cause = signed().any(|(signed, (first, last))| {
            signed == organization && (first..=last).contains(minute)
        });
        ensure!(
            has_cause,
            "{organization} was queued for the minute {minute}, in which BILL did not tell of it"
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
    for private in [KEY, NAME_ON_ACCOUNT, "SCHEDULED", "00802FORGED"] {
        let found = lines.iter().find(|line| line.contains(private));
        ensure!(
            found.is_none(),
            "{private:?} stands in the log line {}",
            found.map_or("", String::as_str)
        );
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "figures for whoever runs the tests")]
fn print_answers(answers: &[Answered], elapsed: Duration) {
    let mut statuses = BTreeMap::<Kind, BTreeMap<u16, usize>>::new();
    for answer in answers {
        *statuses
            .entry(answer.delivery.kind)
            .or_default()
            .entry(answer.status.as_u16())
            .or_default() += 1;
    }
    println!(
        "{} deliveries, {CONCURRENCY} side by side, in {:.1} s; by kind and status:",
        answers.len(),
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
        "{} messages enqueued, of {ORGANIZATIONS} organizations in {} minutes, 0 twice",
        queued.len(),
        minutes.len()
    );
}
