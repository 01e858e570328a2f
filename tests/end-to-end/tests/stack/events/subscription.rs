//! The whole way of a webhook: a customer does something at BILL, BILL tells the subscription that
//! `engage` made, and whatever the stack says to the customer changes with it. What BILL does not
//! tell, the sweep finds.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use bill::events::Subscription;
use content::Content;
use engagement::Stage;
use jiff::{SignedDuration, Timestamp};
use local_cloud::{LocalCloud, Options};
use serde_json::{Value, json};

use super::{engage::stack, expected_stage, queued, wait_for_stage};
use crate::{
    in_product,
    support::{assert_stages, notify, now, options, organizations, sweep, text},
};

/// What a customer is reminded of two days after the stage `bank_unverified` began.
const STEP: &str = "verify-bank-1";

#[tokio::test(flavor = "multi_thread")]
async fn verified_bank_account_updates_messages_at_once_and_sweep_catches_a_lost_webhook()
-> Result<()> {
    let two_days = SignedDuration::from_hours(48);
    let begin = now() - two_days;
    // Without caps: a bookkeeper of two organizations hears of both on one day.
    let cloud = LocalCloud::start(
        Options {
            organizations: 90,
            clock: Some(begin),
            ..options()
        }
        .parameter("SendCaps", "none"),
    )
    .await?;
    sweep(&cloud, begin).await?;
    cloud.sandbox().advance(two_days);
    sweep(&cloud, now()).await?;
    let waiting = reminded(&cloud, "due").await?;
    let mut customers = waiting.iter();
    let (Some(told), Some(lost), Some(idle)) =
        (customers.next(), customers.next(), customers.next())
    else {
        anyhow::bail!("too few customers wait for their bank account: {waiting:?}")
    };

    let webhooks = stack(&cloud).await?.webhooks()?;
    let subscription = webhooks.create().await?.subscription;
    let elapsed = event_changes_the_stage_within_seconds(&cloud, &subscription, told).await?;
    in_product_message_follows_the_new_stage(&cloud, told).await?;
    pending_reminder_is_skipped(&cloud, told, idle).await?;

    webhooks.delete(None, false).await?;
    let until_found = sweep_finds_a_change_without_webhook(&cloud, lost).await?;
    print_figures(elapsed, until_found);
    Ok(())
}

/// Organizations whose reminder has this status.
async fn reminded(cloud: &LocalCloud, status: &str) -> Result<BTreeSet<String>> {
    let notices = cloud.scan("NoticesTable").await?;
    let reminders = notices
        .iter()
        .filter(|notice| notice["step"] == STEP && notice["status"] == status);
    reminders
        .map(|notice| text(notice, "organization_id"))
        .collect()
}

async fn event_changes_the_stage_within_seconds(
    cloud: &LocalCloud,
    subscription: &Subscription,
    id: &str,
) -> Result<Duration> {
    says(cloud, id, Stage::BankUnverified).await?;
    let verified = Instant::now();
    verify_bank_account(cloud, id)?;
    wait_for_stage(cloud, id, &expected_stage(cloud, id)?).await?;
    let elapsed = verified.elapsed();
    cloud.sandbox().wait_for_deliveries().await;
    let deliveries = cloud.sandbox().deliveries();
    // On a busy machine the first attempt may have been answered 503.
    let events: BTreeSet<_> = deliveries
        .iter()
        .map(|delivery| (&delivery.event_id, &delivery.subscription_id))
        .collect();
    let last = deliveries
        .last()
        .filter(|_| events.len() == 1)
        .with_context(|| format!("one event was expected: {deliveries:?}"))?;
    let (event_type, organization) = (last.event_type.as_str(), last.organization_id.as_str());
    ensure!(
        (event_type, organization, last.status) == ("bank-account.updated", id, Some(200)),
        "{deliveries:?}"
    );
    ensure!(
        subscription
            .id
            .as_ref()
            .is_some_and(|id| id.as_str() == last.subscription_id),
        "{last:?}"
    );
    Ok(elapsed)
}

async fn in_product_message_follows_the_new_stage(cloud: &LocalCloud, id: &str) -> Result<()> {
    let stage: Stage = text(&organizations(cloud).await?[id], "stage")?.parse()?;
    ensure!(stage != Stage::BankUnverified, "the stage is the old one");
    says(cloud, id, stage).await
}

/// What the partner's product shows is the message of this stage.
async fn says(cloud: &LocalCloud, id: &str, stage: Stage) -> Result<()> {
    let shown = in_product::messages(in_product::get(&cloud.api()?, id).await?).await?;
    let titles: Vec<_> = shown
        .iter()
        .map(|message| message["title"].as_str())
        .collect();
    let content = Content::embedded()?;
    let expected = content
        .in_product(stage)
        .context("a stage without a message")?;
    ensure!(
        titles == [Some(expected.title.as_str())],
        "{stage}: {shown:?}"
    );
    Ok(())
}

/// Who verified the account is not reminded of it, and hears of the new stage instead; who did not
/// is reminded by the same run.
async fn pending_reminder_is_skipped(cloud: &LocalCloud, told: &str, idle: &str) -> Result<()> {
    let answer = notify(cloud, now()).await?;
    ensure!(answer["outcome"] == "completed", "{answer}");
    let notices: Vec<Value> = cloud
        .scan("NoticesTable")
        .await?
        .into_iter()
        .filter(|notice| notice["organization_id"] == json!(told))
        .collect();
    let (reminders, others): (Vec<_>, Vec<_>) = notices
        .iter()
        .partition(|notice| notice["stage"] == "bank_unverified");
    let is_skipped =
        |notice: &&Value| notice["status"] == "skipped" && notice["reason"] == "state_changed";
    ensure!(
        !reminders.is_empty() && reminders.iter().all(is_skipped),
        "{reminders:?}"
    );
    let messages: BTreeSet<String> = cloud
        .sent_emails()
        .await?
        .into_iter()
        .map(|mail| mail.message_id)
        .collect();
    let is_sent = |notice: &&Value| {
        notice["message_id"]
            .as_str()
            .is_some_and(|id| messages.contains(id))
    };
    ensure!(
        !others.is_empty() && others.iter().all(is_sent),
        "{others:?}"
    );
    ensure!(
        reminded(cloud, "sent").await?.contains(idle),
        "nobody was reminded"
    );
    Ok(())
}

async fn sweep_finds_a_change_without_webhook(
    cloud: &LocalCloud,
    id: &str,
) -> Result<SignedDuration> {
    let deliveries = cloud.sandbox().deliveries().len();
    verify_bank_account(cloud, id)?;
    cloud.sandbox().wait_for_deliveries().await;
    ensure!(
        cloud.sandbox().deliveries().len() == deliveries && queued(cloud, id).await? == 0,
        "BILL told of {id}"
    );
    let known = organizations(cloud).await?;
    let organization = &known[id];
    ensure!(organization["stage"] == "bank_unverified", "{organization}");
    let turn: Timestamp = text(organization, "next_check_at")?.parse()?;
    sweep(cloud, turn).await?;
    let found = text(&organizations(cloud).await?[id], "stage")?;
    ensure!(
        found != "bank_unverified",
        "the sweep did not find that the account is verified"
    );
    assert_stages(cloud, turn).await?;
    Ok(turn.duration_since(now()))
}

/// Lets a customer do at BILL what the reminder asks for.
fn verify_bank_account(cloud: &LocalCloud, id: &str) -> Result<()> {
    ensure!(
        cloud.sandbox().verify_bank_account(id),
        "{id} has no account to verify"
    );
    ensure!(
        expected_stage(cloud, id)? != "bank_unverified",
        "{id} does not change its stage by this"
    );
    Ok(())
}

#[expect(clippy::print_stdout, reason = "figures for whoever runs the tests")]
fn print_figures(elapsed: Duration, until_found: SignedDuration) {
    println!(
        "told by BILL: the new stage was there after {:.1} s",
        elapsed.as_secs_f64()
    );
    println!(
        "not told: found at the organization's next turn, {:.1} h later",
        until_found.as_secs_f64() / 3_600.0
    );
}
