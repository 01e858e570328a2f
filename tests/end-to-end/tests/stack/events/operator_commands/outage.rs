//! An outage of receive-events, after which BILL disables the subscription.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bill::events::SubscriptionId;
use engage::{
    replay::ReplayResult,
    webhooks::{EnableResult, Webhooks},
};
use local_cloud::LocalCloud;
use tokio::time::sleep;

use super::output::printed_output;
use crate::{
    events::support::{expected_stage, publish_payment_failed, set_delivery_retries},
    support::{
        HANG_TIMEOUT, assert_stages, count_synced_before, load_stack, now, organizations,
        text_attribute,
    },
};

pub async fn disabled_subscription_is_replaced_and_replay_catches_up(
    cloud: &LocalCloud,
    webhooks: &Webhooks,
    subscription: SubscriptionId,
) -> Result<()> {
    let (customer, _) = organizations(cloud)
        .await?
        .into_iter()
        .find(|(_, item)| item["stage"] == "bank_unverified")
        .context("no organization is in bank_unverified")?;

    outage_disables_the_subscription(cloud, webhooks, &customer).await?;
    enable_replaces_the_subscription_once(webhooks, subscription).await?;
    ensure!(
        organizations(cloud).await?[&customer]["stage"] == "bank_unverified",
        "the event was not missed"
    );
    replay_syncs_every_organization(cloud, &customer).await?;
    events_are_delivered_again(cloud, webhooks, &customer).await?;
    wait_until_test_event_succeeds(webhooks).await
}

/// Verifies a bank account of the customer while receive-events cannot be invoked.
async fn outage_disables_the_subscription(
    cloud: &LocalCloud,
    webhooks: &Webhooks,
    customer: &str,
) -> Result<()> {
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
        cloud.sandbox().verify_bank_account(customer),
        "{customer} has no account to verify"
    );
    cloud.sandbox().wait_for_deliveries().await;
    ensure!(
        webhooks.test(None).await?.status_code != Some(200),
        "receive-events still responds"
    );
    let output = printed_output(cloud, webhooks, &webhooks.show(None).await?).await?;
    ensure!(output.contains("disabled by BILL"), "{output}");

    cloud
        .lambda()
        .delete_function_concurrency()
        .function_name(function)
        .send()
        .await?;
    set_delivery_retries(cloud, 8, 500);
    Ok(())
}

async fn enable_replaces_the_subscription_once(
    webhooks: &Webhooks,
    subscription: SubscriptionId,
) -> Result<()> {
    let EnableResult::Replaced(replaced) = webhooks.enable().await? else {
        bail!("BILL has not disabled the subscription")
    };
    ensure!(
        replaced.deleted == [subscription],
        "deleted subscriptions: {:?}",
        replaced.deleted
    );

    let EnableResult::AlreadyEnabled(current) = webhooks.enable().await? else {
        bail!("the subscription was replaced twice")
    };
    ensure!(
        current.id == replaced.subscription.id,
        "another subscription is enabled"
    );
    Ok(())
}

async fn replay_syncs_every_organization(cloud: &LocalCloud, customer: &str) -> Result<()> {
    let as_of = now();
    let replay = load_stack(cloud).await?.replay()?;
    let ReplayResult { made_due, fan_out } = replay.run(as_of, |_| {}).await?;
    let known = organizations(cloud).await?.len() as u64;
    ensure!(
        made_due.organizations == known && made_due.made_due > 0 && made_due.unreadable.is_empty(),
        "{made_due:?} of {known}"
    );
    // Not necessarily all of them: an event may have caused a sync meanwhile.
    ensure!(
        fan_out.is_complete() && fan_out.queued > 0,
        "{made_due:?} {fan_out:?}"
    );

    cloud.wait_until_drained(HANG_TIMEOUT, |_| {}).await?;
    ensure!(
        text_attribute(&organizations(cloud).await?[customer], "stage")?
            == expected_stage(cloud, customer)?,
        "the replay did not find the missed change"
    );
    let unsynced = count_synced_before(cloud, as_of).await?;
    ensure!(unsynced == 0, "{unsynced} organizations were not synced");
    assert_stages(cloud, now()).await
}

async fn events_are_delivered_again(
    cloud: &LocalCloud,
    webhooks: &Webhooks,
    customer: &str,
) -> Result<()> {
    let earlier = cloud.sandbox().deliveries().len();
    publish_payment_failed(cloud, customer)?;
    cloud.sandbox().wait_for_deliveries().await;

    let last = cloud
        .sandbox()
        .deliveries()
        .split_off(earlier)
        .pop()
        .context("no event was delivered")?;
    ensure!(
        last.status == Some(200) && webhooks.show(None).await?.is_enabled(),
        "{last:?}"
    );
    Ok(())
}

/// BILL sends a test event only once, and an instance of the function reads the keys again only
/// after 30 seconds.
async fn wait_until_test_event_succeeds(webhooks: &Webhooks) -> Result<()> {
    let started = Instant::now();
    while webhooks.test(None).await?.status_code != Some(200) {
        ensure!(
            started.elapsed() < HANG_TIMEOUT,
            "the test event still does not get 200"
        );
        sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}
