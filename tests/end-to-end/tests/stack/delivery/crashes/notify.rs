//! Crashes of notify.

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use engagement::Notice;
use jiff::{SignedDuration, Timestamp};
use local_cloud::LocalCloud;
use serde_json::{Value, json};

use super::{
    crash_point::{CrashPoint, CrashTiming, invoke_and_crash_at},
    items::notice_item,
};
use crate::{
    delivery::{
        feedback::{self, AcceptedEmail},
        outbox::{Outbox, STAGE_PER_CATEGORY},
    },
    support::{notify, text_attribute},
};

/// Older than any claim that notify still respects.
const ABANDONED_CLAIM_AGE: SignedDuration = SignedDuration::from_mins(16);

/// The result of a crash and of the invocations after it, before SES's feedback.
struct CrashResult {
    /// The operation at which notify crashed.
    operation: String,
    timing: CrashTiming,
    /// Status of the notice.
    status: String,
    /// The number of e-mails that SES accepted.
    emails: usize,
}

/// Sends another notice for each crash point.
pub async fn crash_notify(
    cloud: &LocalCloud,
    outbox: &mut Outbox<'_>,
    as_of: Timestamp,
) -> Result<()> {
    let mut results = Vec::new();

    for (case, crash_point) in CrashPoint::all().enumerate() {
        let address = format!("crash{case}@crowd.example");
        let notice = outbox
            .write(as_of, STAGE_PER_CATEGORY[0], &[&address])
            .await?
            .remove(0);
        let event = json!({"time": as_of});
        let crashed_at = invoke_and_crash_at(cloud, "NotifyFunction", &event, crash_point).await?;
        run_until_settled(cloud, &notice, as_of).await?;

        let status = text_attribute(&notice_item(cloud, &notice).await?, "status")?;
        let emails = accepted_emails(cloud, &notice)?;
        assert_final_status(cloud, &notice, &emails)
            .await
            .with_context(|| format!("{crash_point:?} of {crashed_at:?}: {status}"))?;

        let Some(crashed_at) = crashed_at else { break };
        results.push(CrashResult {
            operation: crashed_at,
            timing: crash_point.timing,
            status,
            emails: emails.len(),
        });
    }

    assert_results(&results)?;
    print_results(&results);
    Ok(())
}

/// Runs notify again, as its schedule does, until the claim of a crashed run counts as abandoned.
async fn run_until_settled(cloud: &LocalCloud, notice: &Notice, as_of: Timestamp) -> Result<()> {
    notify(cloud, as_of).await?;
    let item = notice_item(cloud, notice).await?;
    if item["status"] == "claimed" {
        age_claim(cloud, notice, &item).await?;
    }

    for _ in 0..2 {
        notify(cloud, as_of).await?;
    }
    Ok(())
}

/// Sets `updated_at` of a claimed notice back, so that the claim counts as abandoned.
async fn age_claim(cloud: &LocalCloud, notice: &Notice, item: &Value) -> Result<()> {
    let updated_at: Timestamp = text_attribute(item, "updated_at")?.parse()?;
    let aged = updated_at - ABANDONED_CLAIM_AGE;

    cloud
        .dynamodb()
        .update_item()
        .table_name(cloud.output("NoticesTable")?)
        .key(
            "organization_id",
            AttributeValue::S(notice.organization_id.to_string()),
        )
        .key("notice", AttributeValue::S(notice.notice.to_string()))
        .update_expression("SET updated_at = :aged")
        .expression_attribute_values(":aged", AttributeValue::S(aged.to_string()))
        .send()
        .await?;
    Ok(())
}

/// The e-mails of a notice that SES accepted.
fn accepted_emails(cloud: &LocalCloud, notice: &Notice) -> Result<Vec<AcceptedEmail>> {
    let calls = cloud.fault_proxy()?.calls_to("ses.SendEmail");
    let emails: Vec<AcceptedEmail> = calls
        .iter()
        .filter_map(|call| AcceptedEmail::from_call(call).transpose())
        .collect::<Result<_>>()?;

    Ok(emails
        .into_iter()
        .filter(|email| email.notice_id == notice.id().to_string())
        .collect())
}

/// At most one e-mail was accepted. SES's feedback settles the notice of an accepted e-mail; a
/// notice without one stays unknown.
async fn assert_final_status(
    cloud: &LocalCloud,
    notice: &Notice,
    emails: &[AcceptedEmail],
) -> Result<()> {
    let configuration_set = cloud.output("ConfigurationSet")?;
    for email in emails {
        let events = ["Send", "Delivery"].map(|kind| email.feedback_event(configuration_set, kind));
        feedback::publish(cloud, &events).await?;
    }

    let item = notice_item(cloud, notice).await?;
    ensure!(emails.len() <= 1, "{} e-mails: {item}", emails.len());
    let expected = if emails.len() == 1 {
        ("delivered", None)
    } else {
        ("unknown", Some("claim_abandoned"))
    };
    let status = item["status"].as_str();
    ensure!(
        (status, item["reason"].as_str()) == (Some(expected.0), expected.1),
        "{} e-mails: {item}",
        emails.len()
    );
    Ok(())
}

/// Crashes before the claim and after the last write send one e-mail; those between them leave the
/// notice unknown, whether SES accepted the e-mail or not.
fn assert_results(results: &[CrashResult]) -> Result<()> {
    let found: Vec<_> = results
        .iter()
        .map(|it| {
            (
                it.operation.as_str(),
                it.timing,
                it.status.as_str(),
                it.emails,
            )
        })
        .collect();
    let claim_index = found
        .iter()
        .position(|(operation, ..)| *operation == "dynamodb.TransactWriteItems")
        .context("notify never crashed at its claim")?;

    let claim = "dynamodb.TransactWriteItems";
    let send = "ses.SendEmail";
    let record = "dynamodb.UpdateItem";
    let expected = [
        (claim, CrashTiming::Before, "sent", 1),
        (claim, CrashTiming::After, "unknown", 0),
        (send, CrashTiming::Before, "unknown", 0),
        (send, CrashTiming::After, "unknown", 1),
        (record, CrashTiming::Before, "unknown", 1),
        (record, CrashTiming::After, "sent", 1),
    ];

    let is_sent_once = |(_, _, status, emails): &(&str, CrashTiming, &str, usize)| {
        (*status, *emails) == ("sent", 1)
    };
    let (before, from_claim) = found.split_at(claim_index);
    ensure!(
        before.iter().all(is_sent_once),
        "crashes before the claim: {found:?}"
    );
    ensure!(from_claim.starts_with(&expected), "{found:?}");
    ensure!(
        from_claim[expected.len()..].iter().all(is_sent_once),
        "crashes after the status was recorded: {found:?}"
    );
    Ok(())
}

#[expect(clippy::print_stdout, reason = "figures for whoever runs the tests")]
fn print_results(results: &[CrashResult]) {
    for CrashResult {
        operation,
        timing,
        status,
        emails,
    } in results
    {
        println!(
            "notify crashes {:<6} {operation:<28} -> {status}, {emails} e-mails",
            format!("{timing:?}").to_lowercase()
        );
    }
}
