//! BILL's webhooks, from the delivery to the new stage.

pub mod engage;
mod failures;
mod forged;
mod subscription;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bill::events::SecurityKey;
use futures::future::try_join_all;
use jiff::SignedDuration;
use local_cloud::{LocalCloud, Options};
use reqwest::{Method, StatusCode};
use sandbox::{Change, Organization, Payments};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::{assert_stages, event, now, options, organizations, succeed, sweep, text};

/// The key of the test vector, with which `tests/events/receive-events.json` is signed.
const KEY: &str = "fake-security-key-3b1f";

/// A time-out for hangs only.
const PATIENCE: Duration = Duration::from_mins(5);

#[tokio::test(flavor = "multi_thread")]
async fn signed_events_are_synced_at_once_and_unsigned_ones_are_rejected() -> Result<()> {
    let cloud = LocalCloud::start(Options {
        organizations: 60,
        ..options()
    })
    .await?;
    sweep(&cloud, now()).await?;
    deliveries_get_503_until_a_key_is_stored(&cloud).await?;
    only_signed_deliveries_are_queued(&cloud).await?;
    println!(
        "the new stage was there after {:?}",
        a_payment_makes_its_organization_active(&cloud).await?
    );
    new_organization_is_synced_at_once(&cloud).await?;
    archived_flag_is_read_from_bill_on_each_sync(&cloud).await?;
    burst_causes_one_sync_and_another_after_its_window(&cloud).await?;
    concurrent_sweep_and_events_keep_the_newest_sync(&cloud).await?;
    ensure!(
        cloud.dead_letters().await?.is_empty(),
        "messages were left in the dead-letter queue"
    );
    failures::event_is_not_lost_when_its_sync_fails(&cloud).await
}

async fn deliveries_get_503_until_a_key_is_stored(cloud: &LocalCloud) -> Result<()> {
    ensure!(
        deliver(cloud, &notification("00802KESTREL", "e-0"), KEY).await? == 503,
        "there is no key yet"
    );
    store_key(cloud).await?;
    let answer = succeed(
        cloud,
        "ReceiveEventsFunction",
        &event("receive-events.json")?,
    )
    .await?;
    ensure!(answer["statusCode"] == 200, "{answer}");
    Ok(())
}

async fn only_signed_deliveries_are_queued(cloud: &LocalCloud) -> Result<()> {
    let body = notification("00802FORGED", "e-1");
    let unsigned = cloud
        .api()?
        .request(Method::POST, "/bill/events")
        .body(body.clone())
        .send()
        .await?;
    ensure!(
        unsigned.status() == 401 && unsigned.text().await?.is_empty(),
        "an unsigned delivery"
    );
    ensure!(
        deliver(cloud, &body, "another key").await? == 401,
        "a forged delivery"
    );
    ensure!(
        deliver(cloud, &" ".repeat(300_000), KEY).await? == 413,
        "an oversized delivery"
    );
    ensure!(
        deliver(cloud, "hello", KEY).await? == 200,
        "a delivery that nobody will ever be able to read"
    );
    ensure!(
        deliver(
            cloud,
            &notification("00802FORGED", "e-2").replace("payment.", "invoice."),
            KEY
        )
        .await?
            == 200,
        "another type"
    );
    ensure!(
        queued(cloud, "00802FORGED").await? == 0,
        "something that is not signed, or not looked for, is queued"
    );
    Ok(())
}

async fn a_payment_makes_its_organization_active(cloud: &LocalCloud) -> Result<Duration> {
    let id = payer(cloud).await?;
    pay(cloud, &id)?;
    let delivered = Instant::now();
    ensure!(
        deliver(cloud, &notification(&id, "e-3"), KEY).await? == 200,
        "a signed delivery"
    );
    wait_for_stage(cloud, &id, "active").await?;
    Ok(delivered.elapsed())
}

async fn new_organization_is_synced_at_once(cloud: &LocalCloud) -> Result<()> {
    let like = cloud
        .sandbox()
        .organization(&payer(cloud).await?)
        .context("it is not at BILL")?;
    let id = "00802NEWCOMER4xd9".to_owned();
    cloud.sandbox().put_organization(Organization {
        id: Some(id.clone()),
        ..like
    });
    let request = message(&id, now(), now() + SignedDuration::from_secs(90));
    succeed(cloud, "SyncOrganizationFunction", &request).await?;
    let known = organizations(cloud).await?;
    let found = known.get(&id).context("it was left to the sweep")?;
    ensure!(
        found["stage"] == expected_stage(cloud, &id)? && found["name"].is_string(),
        "{found}"
    );
    let request = message("00802NOBODY", now(), now() + SignedDuration::from_secs(90));
    let answer = succeed(cloud, "SyncOrganizationFunction", &request).await?;
    ensure!(
        answer["batchItemFailures"] == json!([]),
        "an organization that BILL does not list is looked at again: {answer}"
    );
    ensure!(
        !organizations(cloud).await?.contains_key("00802NOBODY"),
        "an organization that BILL does not list is remembered"
    );
    Ok(())
}

async fn archived_flag_is_read_from_bill_on_each_sync(cloud: &LocalCloud) -> Result<()> {
    let id = payer(cloud).await?;
    let open = cloud
        .sandbox()
        .organization(&id)
        .context("it is not at BILL")?;
    let stage = organizations(cloud).await?[&id]["stage"].clone();
    for (archived, expected) in [(true, json!("closed")), (false, stage)] {
        sleep(Duration::from_secs(2)).await; // so that the last look was before
        cloud.sandbox().put_organization(Organization {
            archived,
            ..open.clone()
        });
        succeed(
            cloud,
            "SyncOrganizationFunction",
            &message(&id, now(), now() + SignedDuration::from_secs(90)),
        )
        .await?;
        ensure!(
            organizations(cloud).await?[&id]["stage"] == expected,
            "archived is {archived}: {}",
            organizations(cloud).await?[&id]
        );
    }
    Ok(())
}

async fn burst_causes_one_sync_and_another_after_its_window(cloud: &LocalCloud) -> Result<()> {
    // Within a clock minute, so that the burst has one window, also on a busy machine.
    let second = now().as_second().rem_euclid(60).unsigned_abs();
    if second > 20 {
        sleep(Duration::from_secs(61 - second)).await;
    }
    let id = payer(cloud).await?;
    pay(cloud, &id)?;
    let events: Vec<_> = (0..20)
        .map(|number| notification(&id, &format!("burst-{}", number % 10)))
        .collect();
    let answers = try_join_all(events.iter().map(|event| deliver(cloud, event, KEY))).await?;
    ensure!(
        answers.iter().all(|status| *status == StatusCode::OK),
        "{answers:?}"
    );
    wait_for_stage(cloud, &id, "active").await?;
    ensure!(
        deliver(cloud, &events[0], KEY).await? == 200,
        "a replayed delivery"
    );
    ensure!(
        queued(cloud, &id).await? == 1,
        "one message stands for the burst, and waits for the end of its minute"
    );
    ensure!(
        organizations(cloud).await?[&id]["version"] == 2,
        "more than one look"
    );

    // The message comes back after its minute; here it is handed over without waiting for it.
    let looked: jiff::Timestamp = text(&organizations(cloud).await?[&id], "checked_at")?.parse()?;
    let answer = succeed(
        cloud,
        "SyncOrganizationFunction",
        &message(&id, looked, now() + SignedDuration::from_secs(90)),
    )
    .await?;
    ensure!(
        answer["batchItemFailures"]
            .as_array()
            .is_some_and(|failures| failures.len() == 1),
        "it waits for its minute: {answer}"
    );
    ensure!(
        organizations(cloud).await?[&id]["version"] == 2,
        "looked at again too early"
    );
    sleep(Duration::from_secs(6)).await; // so that the look was before what follows takes for the end of the minute
    let window_end = now() - SignedDuration::from_secs(4);
    for _ in 0..2 {
        let answer = succeed(
            cloud,
            "SyncOrganizationFunction",
            &message(&id, looked, window_end),
        )
        .await?;
        ensure!(answer["batchItemFailures"] == json!([]), "{answer}");
        ensure!(
            organizations(cloud).await?[&id]["version"] == 3,
            "not looked at once more"
        );
    }
    Ok(())
}

async fn concurrent_sweep_and_events_keep_the_newest_sync(cloud: &LocalCloud) -> Result<()> {
    let payers: Vec<String> = organizations(cloud)
        .await?
        .into_iter()
        .filter(|(_, item)| can_pay(item))
        .map(|(id, _)| id)
        .take(20)
        .collect();
    ensure!(
        payers.len() > 5,
        "only {} organizations can pay",
        payers.len()
    );
    let sweep = async {
        succeed(
            cloud,
            "FanOutFunction",
            &json!({"time": now().to_string(), "all": true}),
        )
        .await?;
        cloud.wait_until_drained(PATIENCE, |_| {}).await
    };
    // Each pays while the sweep is under way: before, while or after it is looked at.
    let events = try_join_all(payers.iter().enumerate().map(|(number, id)| async move {
        sleep(Duration::from_millis(100) * u32::try_from(number)?).await;
        pay(cloud, id)?;
        deliver(cloud, &notification(id, &format!("together-{number}")), KEY).await
    }));
    futures::try_join!(sweep, events)?;
    for id in &payers {
        wait_for_stage(cloud, id, "active").await?;
    }
    assert_stages(cloud, now()).await
}

/// Stores the key of the test vector.
async fn store_key(cloud: &LocalCloud) -> Result<()> {
    let keys = json!({ "current": KEY, "previous": "" }).to_string();
    cloud
        .secrets()
        .put_secret_value()
        .secret_id(cloud.output("WebhookKeysSecret")?)
        .secret_string(keys)
        .send()
        .await?;
    Ok(())
}

/// Whether a payment would make it active.
fn can_pay(item: &Value) -> bool {
    [
        "awaiting_first_payment",
        "dormant_30",
        "dormant_60",
        "dormant_90",
    ]
    .into_iter()
    .any(|stage| item["stage"] == stage)
}

/// Lets an organization pay now.
fn pay(cloud: &LocalCloud, id: &str) -> Result<()> {
    let payment = Payments {
        newest_at: now(),
        count: 1,
        ..Payments::default()
    };
    ensure!(
        cloud.sandbox().patch_organization(
            id,
            Change {
                add_payments: vec![payment],
                ..Change::default()
            }
        ),
        "{id} is not there"
    );
    Ok(())
}

/// The id of an organization that a payment would make active, and that was looked at once.
async fn payer(cloud: &LocalCloud) -> Result<String> {
    let found = organizations(cloud)
        .await?
        .into_iter()
        .find(|(_, item)| can_pay(item) && item["version"] == 1);
    Ok(found.context("nobody can pay")?.0)
}

/// Messages about an organization in the events queue.
async fn queued(cloud: &LocalCloud, organization: &str) -> Result<usize> {
    Ok(cloud
        .queued_events()
        .await?
        .iter()
        .filter(|message| message.body.contains(organization))
        .count())
}

async fn wait_for_stage(cloud: &LocalCloud, id: &str, stage: &str) -> Result<()> {
    let started = Instant::now();
    loop {
        let found = text(&organizations(cloud).await?[id], "stage")?;
        if found == stage {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            bail!(
                "{id} is still in {found}; {:?}",
                cloud.logs("SyncOrganizationFunction").await?.last()
            );
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// The stage that the sandbox expects of an organization now.
fn expected_stage(cloud: &LocalCloud, id: &str) -> Result<String> {
    let expected = cloud
        .sandbox()
        .population(now())
        .into_iter()
        .find(|it| it.organization_id.as_deref() == Some(id));
    expected
        .and_then(|it| it.expected_stage)
        .with_context(|| format!("nothing is expected of {id}"))
}

async fn deliver(cloud: &LocalCloud, body: &str, key: &str) -> Result<StatusCode> {
    let signature = SecurityKey::new(key.to_owned())
        .context("an empty key")?
        .sign(body.as_bytes());
    let request = cloud
        .api()?
        .request(Method::POST, "/bill/events")
        .header("x-bill-sha-signature", signature);
    Ok(request
        .header("content-type", "application/json")
        .body(body.to_owned())
        .send()
        .await?
        .status())
}

fn notification(organization: &str, event_id: &str) -> String {
    let metadata = json!({"eventId": event_id, "organizationId": organization, "eventType": "payment.updated", "version": "1"});
    json!({"metadata": metadata, "payment": {"status": "SCHEDULED"}}).to_string()
}

/// A batch with the message of an event, as the events queue hands it on.
fn message(organization: &str, as_of: jiff::Timestamp, events_until: jiff::Timestamp) -> Value {
    let body = json!({
        "schema_version": 1, "run_id": "event#test", "organization": {"id": organization, "archived": false}, "all": true,
        "as_of": as_of.to_string(), "events_until": events_until.to_string(),
    });
    json!({"Records": [{
        "messageId": "1", "body": body.to_string(), "attributes": {"ApproximateReceiveCount": "1"}, "messageAttributes": {},
        "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:events.fifo", "awsRegion": "us-east-1",
    }]})
}
