//! A webhook from end to end: a customer verifies a bank account, BILL notifies the subscription
//! that `engage` created, and stage, in-product message and e-mails follow. The sweep finds a
//! change without a webhook.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use bill::events::Subscription;
use content::Content;
use engagement::Stage;
use jiff::{SignedDuration, Timestamp};
use local_cloud::{LocalCloud, Options};
use serde_json::{Value, json};

use super::support::{count_queued, expected_stage, wait_for_stage};
use crate::{
    in_product::support::{get_messages, parse_messages},
    support::{
        assert_stages, load_stack, notify, now, options, organizations, sweep, text_attribute,
    },
};

/// The reminder that is due two days after the stage `bank_unverified` began.
const REMINDER_STEP: &str = "verify-bank-1";

#[tokio::test(flavor = "multi_thread")]
async fn verified_bank_account_updates_messages_at_once_and_sweep_catches_a_lost_webhook()
-> Result<()> {
    let two_days = SignedDuration::from_hours(48);
    let begin = now() - two_days;
    // Without caps, because a bookkeeper of two organizations gets e-mails for both on one day.
    let options = Options {
        organizations: 90,
        clock: Some(begin),
        ..options()
    };
    let cloud = LocalCloud::start(options.parameter("SendCaps", "none")).await?;
    sweep(&cloud, begin).await?;
    cloud.sandbox().advance(two_days);
    sweep(&cloud, now()).await?;

    let waiting = organizations_with_reminder(&cloud, "due").await?;
    let mut customers = waiting.iter();
    let (Some(notified), Some(lost), Some(idle)) =
        (customers.next(), customers.next(), customers.next())
    else {
        bail!("too few organizations with a due reminder: {waiting:?}")
    };

    let webhooks = load_stack(&cloud).await?.webhooks()?;
    let subscription = webhooks.create().await?.subscription;
    let elapsed = event_changes_the_stage_within_seconds(&cloud, &subscription, notified).await?;
    in_product_message_follows_the_new_stage(&cloud, notified).await?;
    pending_reminder_is_skipped(&cloud, notified, idle).await?;

    webhooks.delete(None, false).await?;
    let until_found = sweep_finds_a_change_without_webhook(&cloud, lost).await?;
    print_figures(elapsed, until_found);
    Ok(())
}

/// The organizations whose reminder has a status.
async fn organizations_with_reminder(cloud: &LocalCloud, status: &str) -> Result<BTreeSet<String>> {
    let notices = cloud.scan("NoticesTable").await?;

    notices
        .iter()
        .filter(|notice| notice["step"] == REMINDER_STEP && notice["status"] == status)
        .map(|notice| text_attribute(notice, "organization_id"))
        .collect()
}

async fn event_changes_the_stage_within_seconds(
    cloud: &LocalCloud,
    subscription: &Subscription,
    id: &str,
) -> Result<Duration> {
    assert_in_product_message(cloud, id, Stage::BankUnverified).await?;
    let verified = Instant::now();
    verify_bank_account(cloud, id)?;
    wait_for_stage(cloud, id, &expected_stage(cloud, id)?).await?;
    let elapsed = verified.elapsed();

    cloud.sandbox().wait_for_deliveries().await;
    let deliveries = cloud.sandbox().deliveries();
    // On a busy machine the first attempt may have got 503.
    let events: BTreeSet<_> = deliveries
        .iter()
        .map(|delivery| (&delivery.event_id, &delivery.subscription_id))
        .collect();
    let last = deliveries
        .last()
        .filter(|_| events.len() == 1)
        .with_context(|| format!("expected one event: {deliveries:?}"))?;
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
    let stage: Stage = text_attribute(&organizations(cloud).await?[id], "stage")?.parse()?;
    ensure!(stage != Stage::BankUnverified, "the stage has not changed");

    assert_in_product_message(cloud, id, stage).await
}

/// Asserts that the partner's product shows the message of a stage, and no other.
async fn assert_in_product_message(cloud: &LocalCloud, id: &str, stage: Stage) -> Result<()> {
    let messages = parse_messages(get_messages(&cloud.api()?, id).await?).await?;
    let titles: Vec<_> = messages
        .iter()
        .map(|message| message["title"].as_str())
        .collect();
    let content = Content::embedded()?;
    let expected = content
        .in_product_message(stage)
        .context("a stage without a message")?;

    ensure!(
        titles == [Some(expected.title.as_str())],
        "{stage}: {messages:?}"
    );
    Ok(())
}

/// The notified organization gets no reminder, but the e-mail of its new stage. The same run of
/// notify reminds the idle one.
async fn pending_reminder_is_skipped(cloud: &LocalCloud, notified: &str, idle: &str) -> Result<()> {
    let response = notify(cloud, now()).await?;
    ensure!(response["outcome"] == "completed", "{response}");

    let notices: Vec<Value> = cloud
        .scan("NoticesTable")
        .await?
        .into_iter()
        .filter(|notice| notice["organization_id"] == json!(notified))
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

    let message_ids: BTreeSet<String> = cloud
        .sent_emails()
        .await?
        .into_iter()
        .map(|email| email.message_id)
        .collect();
    let is_sent = |notice: &&Value| {
        notice["message_id"]
            .as_str()
            .is_some_and(|id| message_ids.contains(id))
    };
    ensure!(
        !others.is_empty() && others.iter().all(is_sent),
        "{others:?}"
    );
    ensure!(
        organizations_with_reminder(cloud, "sent")
            .await?
            .contains(idle),
        "the idle organization was not reminded"
    );
    Ok(())
}

/// Returns the time until the organization's next scheduled sync, which finds the change.
async fn sweep_finds_a_change_without_webhook(
    cloud: &LocalCloud,
    id: &str,
) -> Result<SignedDuration> {
    let deliveries = cloud.sandbox().deliveries().len();
    verify_bank_account(cloud, id)?;
    cloud.sandbox().wait_for_deliveries().await;
    ensure!(
        cloud.sandbox().deliveries().len() == deliveries && count_queued(cloud, id).await? == 0,
        "an event about {id} was delivered"
    );

    let item = &organizations(cloud).await?[id];
    ensure!(item["stage"] == "bank_unverified", "{item}");
    let next_check_at: Timestamp = text_attribute(item, "next_check_at")?.parse()?;
    sweep(cloud, next_check_at).await?;

    let stage = text_attribute(&organizations(cloud).await?[id], "stage")?;
    ensure!(
        stage != "bank_unverified",
        "the sweep did not find that the account is verified"
    );
    assert_stages(cloud, next_check_at).await?;
    Ok(next_check_at.duration_since(now()))
}

/// Verifies a bank account of an organization in the sandbox, as the reminder asks for.
fn verify_bank_account(cloud: &LocalCloud, id: &str) -> Result<()> {
    ensure!(
        cloud.sandbox().verify_bank_account(id),
        "{id} has no account to verify"
    );
    ensure!(
        expected_stage(cloud, id)? != "bank_unverified",
        "this does not change the stage of {id}"
    );
    Ok(())
}

#[expect(clippy::print_stdout, reason = "figures for whoever runs the tests")]
fn print_figures(elapsed: Duration, until_found: SignedDuration) {
    println!(
        "with a webhook: the stage changed after {:.1} s",
        elapsed.as_secs_f64()
    );
    println!(
        "without a webhook: the change is found at the next scheduled sync, {:.1} h later",
        until_found.as_secs_f64() / 3_600.0
    );
}
