//! `engage` against the deployed stack: what an operator does in the life of a subscription. The
//! commands are called as its binary calls them, and know the stack by its name alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use bill::events::{EventType, Subscription, SubscriptionId};
use engage::{
    replay::Replayed,
    report::{self, Shown},
    stack::{Stack, StackArguments},
    webhooks::{Enabled, SubscriptionChange, Webhooks},
};
use local_cloud::{LocalCloud, Options};
use sandbox::{Delivery, EventSwitches, ManualEvent, Switches};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{PATIENCE, expected_stage};
use crate::support::{
    assert_stages, count_synced_before, now, options, organizations, sweep, text,
};

/// Events at least while the key is changed.
const EVENTS: usize = 40;

/// `engage`, knowing no more than the name of the stack.
pub async fn stack(cloud: &LocalCloud) -> Result<Stack> {
    Stack::find(cloud.config().await, named(cloud.stack())).await
}

fn named(stack: &str) -> StackArguments {
    StackArguments {
        stack: Some(stack.to_owned()),
        ..StackArguments::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_subscribes_rotates_the_key_recovers_from_an_outage_and_unsubscribes() -> Result<()>
{
    let cloud = LocalCloud::start(Options {
        organizations: 60,
        ..options()
    })
    .await?;
    sweep(&cloud, now()).await?;
    // For longer than half a minute, in which a function does not ask for the keys again.
    set_delivery_retries(&cloud, 8, 500);
    missing_stack_is_reported(&cloud).await?;
    let webhooks = stack(&cloud).await?.webhooks()?;
    commands_without_a_subscription_suggest_create(&webhooks).await?;
    let first = create_subscribes_the_stack_once(&cloud, &webhooks).await?;
    let second = no_event_is_lost_during_key_rotation(&cloud, &webhooks, first).await?;
    disabled_subscription_is_replaced_and_replay_catches_up(&cloud, &webhooks, second).await?;
    deleted_subscription_receives_no_events(&cloud, &webhooks).await
}

async fn missing_stack_is_reported(cloud: &LocalCloud) -> Result<()> {
    let refusal = Stack::find(cloud.config().await, named("bill-engage-elsewhere"))
        .await
        .err()
        .context("it was found")?;
    ensure!(
        refusal
            .to_string()
            .contains("no stack bill-engage-elsewhere"),
        "{refusal:#}"
    );
    Ok(())
}

async fn commands_without_a_subscription_suggest_create(webhooks: &Webhooks) -> Result<()> {
    ensure!(webhooks.list().await?.is_empty(), "there is a subscription");
    for refusal in [
        webhooks.show(None).await.err(),
        webhooks.test(None).await.err(),
        webhooks.delete(None, false).await.err(),
        webhooks.rotate_key(false).await.err(),
        webhooks.enable().await.err(),
    ] {
        let refusal = refusal.context("it was not refused")?.to_string();
        ensure!(refusal.contains("engage webhooks create"), "{refusal}");
    }
    Ok(())
}

async fn create_subscribes_the_stack_once(
    cloud: &LocalCloud,
    webhooks: &Webhooks,
) -> Result<SubscriptionId> {
    let SubscriptionChange {
        subscription,
        ended,
        was_interrupted,
    } = webhooks.create().await?;
    ensure!(ended.is_empty() && !was_interrupted, "{ended:?}");
    ensure!(
        subscription.notification_url.as_ref().map(url::Url::as_str)
            == Some(cloud.output("EventsUrl")?),
        "{subscription:?}"
    );
    ensure!(
        subscription.events().eq(EventType::WANTED),
        "{subscription:?}"
    );
    let refusal = webhooks
        .create()
        .await
        .err()
        .context("the stack was subscribed twice")?
        .to_string();
    ensure!(refusal.contains("subscribed already"), "{refusal}");
    ensure!(
        webhooks.list().await? == [subscription.clone()],
        "the list is another"
    );
    let printed = printed(cloud, webhooks, &subscription).await?;
    ensure!(
        printed.contains("enabled") && printed.contains("/bill/events"),
        "{printed}"
    );
    ensure!(
        webhooks.test(None).await?.status_code == Some(200),
        "the test was not answered with 200"
    );
    id(subscription)
}

async fn no_event_is_lost_during_key_rotation(
    cloud: &LocalCloud,
    webhooks: &Webhooks,
    first: SubscriptionId,
) -> Result<SubscriptionId> {
    // Whoever waits for a bank account is not looked at before the outage.
    let others = organizations(cloud)
        .await?
        .into_iter()
        .filter(|(_, item)| item["stage"] != "bank_unverified");
    let ids: Vec<String> = others.map(|(id, _)| id).collect();
    let (former, earlier) = (keys(cloud).await?, cloud.sandbox().deliveries().len());
    let is_changed = AtomicBool::new(false);
    let events = async {
        let mut number = 0;
        while number < EVENTS || !is_changed.load(Ordering::Relaxed) {
            announce(cloud, &ids[number % ids.len()])?;
            number += 1;
            sleep(Duration::from_millis(50)).await;
        }
        anyhow::Ok(number)
    };
    let rotation = async {
        sleep(Duration::from_millis(300)).await; // so that there are events before it, too
        let rotated = webhooks.rotate_key(false).await?;
        is_changed.store(true, Ordering::Relaxed);
        Ok(rotated)
    };
    let started = Instant::now();
    let (rotated, events) = futures::try_join!(rotation, events)?;
    cloud.sandbox().wait_for_deliveries().await;
    print_rotation(
        &assert_every_event_was_accepted(cloud, earlier, events)?,
        events,
        started.elapsed(),
    );

    ensure!(rotated.ended == [first], "{:?} were ended", rotated.ended);
    ensure!(
        rotated
            .subscription
            .notification_url
            .as_ref()
            .and_then(url::Url::query)
            == Some("v=2"),
        "{:?}",
        rotated.subscription
    );
    ensure!(
        webhooks.list().await? == [rotated.subscription.clone()],
        "the list is another"
    );
    let present = keys(cloud).await?;
    ensure!(
        present["previous"] == former["current"] && present["current"] != former["current"],
        "the keys were not changed"
    );
    printed(cloud, webhooks, &rotated.subscription).await?;
    id(rotated.subscription)
}

/// The attempts since then; each event was taken by at least one of them.
fn assert_every_event_was_accepted(
    cloud: &LocalCloud,
    earlier: usize,
    events: usize,
) -> Result<Vec<Delivery>> {
    let attempts = cloud.sandbox().deliveries().split_off(earlier);
    let all: BTreeSet<&str> = attempts
        .iter()
        .map(|attempt| attempt.event_id.as_str())
        .collect();
    let taken: BTreeSet<&str> = attempts
        .iter()
        .filter(|attempt| attempt.status == Some(200))
        .map(|attempt| attempt.event_id.as_str())
        .collect();
    ensure!(
        all.len() == events && taken == all,
        "{events} events, {} sent, {} taken: {attempts:?}",
        all.len(),
        taken.len()
    );
    Ok(attempts)
}

async fn disabled_subscription_is_replaced_and_replay_catches_up(
    cloud: &LocalCloud,
    webhooks: &Webhooks,
    subscription: SubscriptionId,
) -> Result<()> {
    let is_waiting = |(_, item): &(String, Value)| item["stage"] == "bank_unverified";
    let (customer, _) = organizations(cloud)
        .await?
        .into_iter()
        .find(is_waiting)
        .context("nobody waits for a bank account")?;
    let function = cloud.output("ReceiveEventsFunction")?;
    cloud
        .lambda()
        .put_function_concurrency()
        .function_name(function)
        .reserved_concurrent_executions(0)
        .send()
        .await?;
    set_delivery_retries(cloud, 2, 20);
    ensure!(
        cloud.sandbox().verify_bank_account(&customer),
        "{customer} has no account to verify"
    );
    cloud.sandbox().wait_for_deliveries().await;
    ensure!(
        webhooks.test(None).await?.status_code != Some(200),
        "the function still answers"
    );
    let printed = printed(cloud, webhooks, &webhooks.show(None).await?).await?;
    ensure!(printed.contains("switched off by BILL"), "{printed}");

    cloud
        .lambda()
        .delete_function_concurrency()
        .function_name(function)
        .send()
        .await?;
    set_delivery_retries(cloud, 8, 500);
    let Enabled::Replaced(anew) = webhooks.enable().await? else {
        anyhow::bail!("BILL has not switched it off")
    };
    ensure!(anew.ended == [subscription], "{:?} were ended", anew.ended);
    ensure!(
        matches!(webhooks.enable().await?, Enabled::AlreadyEnabled(subscription) if subscription.id == anew.subscription.id),
        "it was replaced twice"
    );
    ensure!(
        organizations(cloud).await?[&customer]["stage"] == "bank_unverified",
        "the event was not missed"
    );
    let at = now();
    let Replayed { made_due, begun } = stack(cloud).await?.replay()?.run(at, |_| {}).await?;
    let known = organizations(cloud).await?.len() as u64;
    ensure!(
        made_due.organizations == known && made_due.made_due > 0 && made_due.unreadable.is_empty(),
        "{made_due:?} of {known}"
    );
    // Not each of them: an event may have had one looked at meanwhile.
    ensure!(
        begun.is_complete() && begun.queued > 0,
        "{made_due:?} {begun:?}"
    );
    cloud.wait_until_drained(PATIENCE, |_| {}).await?;
    ensure!(
        text(&organizations(cloud).await?[&customer], "stage")?
            == expected_stage(cloud, &customer)?,
        "it was not caught up with"
    );
    let unsynced = count_synced_before(cloud, at).await?;
    ensure!(unsynced == 0, "{unsynced} organizations were not looked at");
    assert_stages(cloud, now()).await?;

    let earlier = cloud.sandbox().deliveries().len();
    announce(cloud, &customer)?;
    cloud.sandbox().wait_for_deliveries().await;
    let last = cloud
        .sandbox()
        .deliveries()
        .split_off(earlier)
        .pop()
        .context("nothing was delivered")?;
    ensure!(
        last.status == Some(200) && webhooks.show(None).await?.is_enabled(),
        "{last:?}"
    );
    wait_until_test_event_succeeds(webhooks).await
}

/// BILL sends a test once, and an instance of the function that has just asked for the keys asks
/// again after half a minute.
async fn wait_until_test_event_succeeds(webhooks: &Webhooks) -> Result<()> {
    let started = Instant::now();
    while webhooks.test(None).await?.status_code != Some(200) {
        ensure!(
            started.elapsed() < PATIENCE,
            "the test is still not answered with 200"
        );
        sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

async fn deleted_subscription_receives_no_events(
    cloud: &LocalCloud,
    webhooks: &Webhooks,
) -> Result<()> {
    let subscription = id(webhooks.show(None).await?)?;
    ensure!(
        webhooks.delete(None, false).await? == subscription && webhooks.list().await?.is_empty(),
        "it was not ended"
    );
    let earlier = cloud.sandbox().deliveries().len();
    let known = organizations(cloud)
        .await?
        .into_keys()
        .next()
        .context("no organization is known")?;
    announce(cloud, &known)?;
    cloud.sandbox().wait_for_deliveries().await;
    ensure!(
        cloud.sandbox().deliveries().len() == earlier,
        "BILL told of {known}"
    );
    Ok(())
}

/// How often BILL sends an event before it switches a subscription off, and milliseconds until the
/// second time; then they double.
fn set_delivery_retries(cloud: &LocalCloud, attempts: u32, initial_backoff_ms: u64) {
    let events = EventSwitches {
        attempts,
        initial_backoff_ms,
        ..EventSwitches::default()
    };
    cloud.sandbox().switches(Switches {
        events,
        ..Switches::default()
    });
}

/// Lets BILL tell of an organization to which nothing happened that a look could see.
fn announce(cloud: &LocalCloud, organization: &str) -> Result<()> {
    let event = ManualEvent {
        organization_id: organization.to_owned(),
        event_type: "payment.failed".to_owned(),
    };
    ensure!(
        cloud.sandbox().announce(&event),
        "{organization} is not there"
    );
    Ok(())
}

/// What the commands print of a subscription, as text and as JSON. `Err` also when a key is among
/// it.
async fn printed(
    cloud: &LocalCloud,
    webhooks: &Webhooks,
    subscription: &Subscription,
) -> Result<String> {
    let shown = Shown::new(subscription, webhooks.is_ours(subscription));
    let all: Vec<Shown> = webhooks
        .list()
        .await?
        .iter()
        .map(|listed| Shown::new(listed, webhooks.is_ours(listed)))
        .collect();
    let printed = [
        report::one(&shown),
        json!(shown).to_string(),
        report::many(&all),
        json!(all).to_string(),
    ]
    .join("\n");
    let keys = keys(cloud).await?;
    ensure!(keys["current"].is_string(), "there is no key to look for");
    let is_printed = |name: &&str| {
        keys[*name]
            .as_str()
            .is_some_and(|key| printed.contains(key))
    };
    ensure!(
        !["current", "previous"].iter().any(is_printed),
        "a key is printed"
    );
    Ok(printed)
}

/// What the stack's secret of keys holds.
async fn keys(cloud: &LocalCloud) -> Result<Value> {
    let secret = cloud
        .secrets()
        .get_secret_value()
        .secret_id(cloud.output("WebhookKeysSecret")?)
        .send()
        .await?;
    Ok(serde_json::from_str(
        secret.secret_string().context("the secret is no text")?,
    )?)
}

fn id(subscription: Subscription) -> Result<SubscriptionId> {
    subscription.id.context("a subscription without an id")
}

#[expect(clippy::print_stdout, reason = "figures for whoever runs the tests")]
fn print_rotation(attempts: &[Delivery], events: usize, elapsed: Duration) {
    let mut statuses = BTreeMap::<u16, usize>::new();
    for attempt in attempts {
        *statuses
            .entry(attempt.status.unwrap_or_default())
            .or_default() += 1;
    }
    let seconds = elapsed.as_secs_f64();
    println!(
        "{events} events while the key was changed, all taken within {seconds:.1} s; attempts by status: {statuses:?}"
    );
}
