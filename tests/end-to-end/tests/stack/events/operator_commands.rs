//! `engage` against the deployed stack: the commands of an operator over the life of a webhook
//! subscription. They are called as the binary calls them, and know only the name of the stack.

mod outage;
mod output;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use bill::events::{EventType, SubscriptionId};
use engage::{
    stack::{Stack, StackArguments},
    webhooks::{SubscriptionChange, Webhooks},
};
use local_cloud::{LocalCloud, Options};
use sandbox::DeliveryAttempt;
use tokio::time::sleep;

use self::{
    outage::disabled_subscription_is_replaced_and_replay_catches_up,
    output::{printed_output, stored_keys, subscription_id},
};
use super::support::{publish_payment_failed, set_delivery_retries};
use crate::support::{load_stack, now, options, organizations, sweep};

/// Minimum number of events during the rotation of the key.
const EVENTS: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn operator_subscribes_rotates_the_key_survives_an_outage_and_unsubscribes() -> Result<()> {
    let cloud = LocalCloud::start(Options {
        organizations: 60,
        ..options()
    })
    .await?;
    sweep(&cloud, now()).await?;
    // The retries outlast the 30 seconds during which a function does not read the keys again.
    set_delivery_retries(&cloud, 8, 500);

    missing_stack_is_reported(&cloud).await?;
    let webhooks = load_stack(&cloud).await?.webhooks()?;
    commands_without_a_subscription_suggest_create(&webhooks).await?;
    let first = create_subscribes_the_stack_once(&cloud, &webhooks).await?;
    let second = no_event_is_lost_during_key_rotation(&cloud, &webhooks, first).await?;
    disabled_subscription_is_replaced_and_replay_catches_up(&cloud, &webhooks, second).await?;
    deleted_subscription_receives_no_events(&cloud, &webhooks).await
}

async fn missing_stack_is_reported(cloud: &LocalCloud) -> Result<()> {
    let arguments = StackArguments {
        stack: Some("bill-engage-elsewhere".to_owned()),
        ..StackArguments::default()
    };

    let error = Stack::load(cloud.config().await, arguments)
        .await
        .err()
        .context("a missing stack was found")?;

    ensure!(
        error.to_string().contains("no stack bill-engage-elsewhere"),
        "{error:#}"
    );
    Ok(())
}

async fn commands_without_a_subscription_suggest_create(webhooks: &Webhooks) -> Result<()> {
    ensure!(webhooks.list().await?.is_empty(), "there is a subscription");

    for error in [
        webhooks.show(None).await.err(),
        webhooks.test(None).await.err(),
        webhooks.delete(None, false).await.err(),
        webhooks.rotate_key(false).await.err(),
        webhooks.enable().await.err(),
    ] {
        let error = error.context("the command succeeded")?.to_string();
        ensure!(error.contains("engage webhooks create"), "{error}");
    }
    Ok(())
}

async fn create_subscribes_the_stack_once(
    cloud: &LocalCloud,
    webhooks: &Webhooks,
) -> Result<SubscriptionId> {
    let SubscriptionChange {
        subscription,
        deleted,
        was_interrupted,
    } = webhooks.create().await?;
    ensure!(deleted.is_empty() && !was_interrupted, "{deleted:?}");
    ensure!(
        subscription.notification_url.as_ref().map(url::Url::as_str)
            == Some(cloud.output("EventsUrl")?),
        "{subscription:?}"
    );
    ensure!(
        subscription.events().eq(EventType::SUBSCRIBED),
        "{subscription:?}"
    );

    let error = webhooks
        .create()
        .await
        .err()
        .context("the stack was subscribed twice")?
        .to_string();
    ensure!(error.contains("subscribed already"), "{error}");
    ensure!(
        webhooks.list().await? == [subscription.clone()],
        "the list differs"
    );

    let output = printed_output(cloud, webhooks, &subscription).await?;
    ensure!(
        output.contains("enabled") && output.contains("/bill/events"),
        "{output}"
    );
    ensure!(
        webhooks.test(None).await?.status_code == Some(200),
        "the test event did not get 200"
    );
    subscription_id(subscription)
}

async fn no_event_is_lost_during_key_rotation(
    cloud: &LocalCloud,
    webhooks: &Webhooks,
    first: SubscriptionId,
) -> Result<SubscriptionId> {
    // An organization in `bank_unverified` is left alone until the outage.
    let ids: Vec<String> = organizations(cloud)
        .await?
        .into_iter()
        .filter(|(_, item)| item["stage"] != "bank_unverified")
        .map(|(id, _)| id)
        .collect();
    let keys_before = stored_keys(cloud).await?;
    let earlier = cloud.sandbox().deliveries().len();
    let is_rotated = AtomicBool::new(false);

    let events = async {
        let mut number = 0;
        while number < EVENTS || !is_rotated.load(Ordering::Relaxed) {
            publish_payment_failed(cloud, &ids[number % ids.len()])?;
            number += 1;
            sleep(Duration::from_millis(50)).await;
        }
        anyhow::Ok(number)
    };
    let rotation = async {
        sleep(Duration::from_millis(300)).await; // so that there are events before it, too
        let rotated = webhooks.rotate_key(false).await?;
        is_rotated.store(true, Ordering::Relaxed);
        Ok(rotated)
    };
    let started = Instant::now();
    let (rotated, events) = futures::try_join!(rotation, events)?;
    cloud.sandbox().wait_for_deliveries().await;
    let attempts = assert_every_event_was_accepted(cloud, earlier, events)?;
    print_rotation(&attempts, events, started.elapsed());

    let SubscriptionChange {
        subscription,
        deleted,
        ..
    } = rotated;
    ensure!(deleted == [first], "deleted subscriptions: {deleted:?}");
    let url = subscription.notification_url.as_ref();
    ensure!(
        url.and_then(url::Url::query) == Some("v=2"),
        "{subscription:?}"
    );
    ensure!(
        webhooks.list().await? == [subscription.clone()],
        "the list differs"
    );
    let keys = stored_keys(cloud).await?;
    ensure!(
        keys["previous"] == keys_before["current"] && keys["current"] != keys_before["current"],
        "the keys were not rotated"
    );
    printed_output(cloud, webhooks, &subscription).await?;
    subscription_id(subscription)
}

/// Asserts that at least one attempt of each event got 200, and returns the attempts after the
/// first `earlier` ones.
fn assert_every_event_was_accepted(
    cloud: &LocalCloud,
    earlier: usize,
    events: usize,
) -> Result<Vec<DeliveryAttempt>> {
    let attempts = cloud.sandbox().deliveries().split_off(earlier);
    let all: BTreeSet<&str> = attempts
        .iter()
        .map(|attempt| attempt.event_id.as_str())
        .collect();
    let accepted: BTreeSet<&str> = attempts
        .iter()
        .filter(|attempt| attempt.status == Some(200))
        .map(|attempt| attempt.event_id.as_str())
        .collect();

    ensure!(
        all.len() == events && accepted == all,
        "{events} events, {} delivered, {} accepted: {attempts:?}",
        all.len(),
        accepted.len()
    );
    Ok(attempts)
}

#[expect(clippy::print_stdout, reason = "figures for whoever runs the tests")]
fn print_rotation(attempts: &[DeliveryAttempt], events: usize, elapsed: Duration) {
    let mut statuses = BTreeMap::<u16, usize>::new();
    for attempt in attempts {
        *statuses
            .entry(attempt.status.unwrap_or_default())
            .or_default() += 1;
    }

    println!(
        "{events} events during the rotation of the key, all accepted within {:.1} s; \
         attempts by status: {statuses:?}",
        elapsed.as_secs_f64()
    );
}

async fn deleted_subscription_receives_no_events(
    cloud: &LocalCloud,
    webhooks: &Webhooks,
) -> Result<()> {
    let id = subscription_id(webhooks.show(None).await?)?;
    ensure!(
        webhooks.delete(None, false).await? == id && webhooks.list().await?.is_empty(),
        "the subscription was not deleted"
    );

    let earlier = cloud.sandbox().deliveries().len();
    let organization = organizations(cloud)
        .await?
        .into_keys()
        .next()
        .context("no organization")?;
    publish_payment_failed(cloud, &organization)?;
    cloud.sandbox().wait_for_deliveries().await;

    ensure!(
        cloud.sandbox().deliveries().len() == earlier,
        "an event was delivered without a subscription"
    );
    Ok(())
}
