//! CrashTiming between any two side effects. At each write, just before it or just after, a function
//! loses AWS for good, as a killed process does; then it is run again as its trigger would run it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use content::Content;
use engagement::{Notice, Stage};
use jiff::{SignedDuration, Timestamp};
use local_cloud::{Call, Fault, LocalCloud, Options};
use serde_json::{Value, json};

use super::{
    feedback::{self, AcceptedEmail},
    mail_quality::unsubscribe_header_url,
    outbox::{Outbox, STAGES},
};
use crate::support::{event, notify, now, options, organizations, succeed, text};

/// Operations that change something outside the function.
const SIDE_EFFECTS: [&str; 7] = [
    "dynamodb.DeleteItem",
    "dynamodb.PutItem",
    "dynamodb.TransactWriteItems",
    "dynamodb.UpdateItem",
    "ses.SendEmail",
    "sqs.SendMessage",
    "sqs.SendMessageBatch",
];

/// Older than any claim that is still alive.
const ABANDONED_CLAIM_AGE: SignedDuration = SignedDuration::from_mins(16);

/// When a function dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CrashTiming {
    Before,
    After,
}

/// One death: at which side effect, counted from 0, and when.
#[derive(Debug, Clone, Copy)]
struct Moment {
    nth: usize,
    death: CrashTiming,
}

impl Moment {
    fn all() -> impl Iterator<Item = Self> {
        (0..).flat_map(|nth| {
            [CrashTiming::Before, CrashTiming::After].map(|death| Self { nth, death })
        })
    }
}

/// Runs a function that dies at that moment. Returns the operation at which it did; `None`: it came
/// to its end before.
async fn invoke_and_crash_at(
    cloud: &LocalCloud,
    function: &'static str,
    event: &Value,
    moment: Moment,
) -> Result<Option<String>> {
    let effects = Arc::new(Mutex::new(Vec::<String>::new()));
    let seen = Arc::clone(&effects);
    cloud.faults()?.plan(move |call| {
        let Ok(mut seen) = seen.lock() else {
            return Fault::None;
        };
        let has_crashed = seen.len() > moment.nth;
        if call.function.as_deref() != Some(function)
            || (!has_crashed && !SIDE_EFFECTS.contains(&call.operation.as_str()))
        {
            return Fault::None;
        }
        seen.push(call.operation.clone());
        match (has_crashed, seen.len() > moment.nth, moment.death) {
            (true, ..) | (false, true, CrashTiming::Before) => Fault::DropRequest,
            (false, true, CrashTiming::After) => Fault::DropResponse,
            (false, false, _) => Fault::None,
        }
    });
    cloud.invoke(function, event).await?;
    cloud.faults()?.plan(|_| Fault::None);
    let effects = effects
        .lock()
        .map_err(|_| anyhow::anyhow!("the plan panicked"))?;
    Ok(effects.get(moment.nth).cloned())
}

#[tokio::test(flavor = "multi_thread")]
async fn crash_at_any_side_effect_of_a_sweep_still_syncs_each_organization_once() -> Result<()> {
    let cloud = LocalCloud::start(Options {
        organizations: 25,
        fault_proxy: true,
        ..options()
    })
    .await?;
    let begin = now();
    crash_sync_organization(&cloud, begin).await?;
    crash_fan_out(&cloud, begin).await
}

async fn crash_sync_organization(cloud: &LocalCloud, as_of: Timestamp) -> Result<()> {
    let content = Content::embedded()?;
    let mut deaths = Vec::new();
    let mut customers = cloud
        .sandbox()
        .population(as_of)
        .into_iter()
        .filter(|it| !it.expected_recipients.is_empty());
    for moment in Moment::all() {
        let customer = customers.next().context("too few customers")?;
        let id = customer
            .organization_id
            .context("a customer without an id")?;
        let request = json!({
            "schema_version": 1,
            "run_id": "deaths",
            "organization": {"id": id, "name": "Kestrel", "archived": false},
            "as_of": as_of,
        });
        let messages = queued("sync-organization.json", &request.to_string())?;
        let crashed_at =
            invoke_and_crash_at(cloud, "SyncOrganizationFunction", &messages, moment).await?;
        for _ in 0..2 {
            let answer = succeed(cloud, "SyncOrganizationFunction", &messages).await?;
            ensure!(answer == json!({"batchItemFailures": []}), "{answer}");
        }
        let stage: Stage = customer.expected_stage.context("no stage")?.parse()?;
        let is_due_at_once = content
            .rules()
            .campaigns
            .for_stage(stage)
            .is_some_and(|campaign| campaign.steps[0].after.is_zero());
        let expected_notices = if is_due_at_once {
            customer.expected_recipients.len()
        } else {
            0
        };
        let told = format!("{moment:?} of {crashed_at:?}");
        let found = organizations(cloud)
            .await?
            .remove(&id)
            .with_context(|| told.clone())?;
        ensure!(
            found["stage"] == stage.to_string() && found["version"] == 1,
            "{told}: {found}"
        );
        ensure!(
            of(cloud, "TransitionsTable", &id).await?.len() == 1,
            "{told}: not one transition"
        );
        ensure!(
            of(cloud, "NoticesTable", &id).await?.len() == expected_notices,
            "{told}: not {expected_notices} notices"
        );
        let Some(crashed_at) = crashed_at else { break };
        deaths.push(crashed_at);
    }
    ensure!(
        deaths
            .iter()
            .any(|operation| operation == "dynamodb.TransactWriteItems"),
        "it never died at its write: {deaths:?}"
    );
    Ok(())
}

async fn crash_fan_out(cloud: &LocalCloud, begin: Timestamp) -> Result<()> {
    let before = |id: &str, known: &BTreeMap<String, Value>| {
        known
            .get(id)
            .and_then(|item| item["version"].as_u64())
            .unwrap_or_default()
    };
    let mut deaths = Vec::new();
    for (case, moment) in (1..).zip(Moment::all()) {
        let known = organizations(cloud).await?;
        let as_of = begin + SignedDuration::from_hours(case);
        let event = json!({"time": as_of, "all": true});
        let crashed_at = invoke_and_crash_at(cloud, "FanOutFunction", &event, moment).await?;
        for _ in 0..2 {
            succeed(cloud, "FanOutFunction", &event).await?;
        }
        cloud
            .wait_until_drained(std::time::Duration::from_mins(2), |_| {})
            .await?;
        let found = organizations(cloud).await?;
        ensure!(
            found.len() == 25,
            "{moment:?} of {crashed_at:?}: {} organizations",
            found.len()
        );
        for (id, item) in &found {
            let is_synced_once = item["checked_at"] == json!(as_of)
                && item["version"].as_u64() == Some(before(id, &known) + 1);
            ensure!(
                is_synced_once,
                "{moment:?} of {crashed_at:?} at {as_of}: {item}"
            );
        }
        let Some(crashed_at) = crashed_at else { break };
        deaths.push(crashed_at);
    }
    ensure!(
        deaths
            .iter()
            .any(|operation| operation == "sqs.SendMessageBatch"),
        "it never died while sending: {deaths:?}"
    );
    ensure!(
        cloud.dead_letters().await?.is_empty(),
        "messages were left in the dead-letter queue"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn crash_at_any_side_effect_sends_an_email_at_most_once_and_settles_its_notice() -> Result<()>
{
    let options = Options {
        organizations: 1,
        fault_proxy: true,
        ..options()
    }
    .parameter("DailySendLimit", "5000");
    let cloud = LocalCloud::start(options).await?;
    let as_of = now();
    let mut outbox = Outbox::open(&cloud).await?;
    crash_notify(&cloud, &mut outbox, as_of).await?;
    let mails = send_emails(&cloud, &mut outbox, as_of, 12).await?;
    let (for_feedback, for_preferences) = mails.split_at(7);
    crash_record_feedback(&cloud, for_feedback).await?;
    unreadable_feedback_leaves_a_redacted_dead_letter(&cloud).await?;
    crash_preferences(&cloud, for_preferences).await
}

async fn crash_notify(cloud: &LocalCloud, outbox: &mut Outbox<'_>, as_of: Timestamp) -> Result<()> {
    let configuration_set = cloud.output("ConfigurationSet")?.to_owned();
    let mut ends = Vec::new();
    for (case, moment) in Moment::all().enumerate() {
        let notice = outbox
            .write(as_of, STAGES[0], &[&format!("death{case}@crowd.example")])
            .await?
            .remove(0);
        let crashed_at =
            invoke_and_crash_at(cloud, "NotifyFunction", &json!({"time": as_of}), moment).await?;
        notify(cloud, as_of).await?;
        let left = item(cloud, &notice).await?;
        if left["status"] == "claimed" {
            age_claim(cloud, &notice, &left).await?;
        }
        for _ in 0..2 {
            notify(cloud, as_of).await?;
        }
        let settled = text(&item(cloud, &notice).await?, "status")?;
        let mails = taken(cloud, &notice)?;
        for mail in &mails {
            feedback::publish(
                cloud,
                &["Send", "Delivery"].map(|kind| mail.event(&configuration_set, kind)),
            )
            .await?;
        }
        let end = item(cloud, &notice).await?;
        let told = format!(
            "{moment:?} of {crashed_at:?}: {} mails, {settled}, {end}",
            mails.len()
        );
        ensure!(mails.len() <= 1, "{told}");
        let expected = if mails.len() == 1 {
            ("delivered", None)
        } else {
            ("unknown", Some("claim_abandoned"))
        };
        ensure!(
            (end["status"].as_str(), end["reason"].as_str()) == (Some(expected.0), expected.1),
            "{told}"
        );
        let Some(crashed_at) = crashed_at else { break };
        ends.push(((crashed_at, moment.death), (settled, mails.len())));
    }
    let before_claim = ends
        .iter()
        .position(|((operation, _), _)| operation == "dynamodb.TransactWriteItems")
        .context("it never claimed")?;
    let claim = "dynamodb.TransactWriteItems".to_owned();
    let send = "ses.SendEmail".to_owned();
    let known = |mails: usize| ("sent".to_owned(), mails);
    let unsure = |mails: usize| ("unknown".to_owned(), mails);
    ensure!(
        ends[..before_claim].iter().all(|(_, end)| *end == known(1)),
        "dead before the claim: {ends:?}"
    );
    let expected = [
        ((claim.clone(), CrashTiming::Before), known(1)),
        ((claim, CrashTiming::After), unsure(0)),
        ((send.clone(), CrashTiming::Before), unsure(0)),
        ((send, CrashTiming::After), unsure(1)),
        (
            ("dynamodb.UpdateItem".to_owned(), CrashTiming::Before),
            unsure(1),
        ),
        (
            ("dynamodb.UpdateItem".to_owned(), CrashTiming::After),
            known(1),
        ),
    ];
    ensure!(ends[before_claim..].starts_with(&expected), "{ends:?}");
    ensure!(
        ends[before_claim + expected.len()..]
            .iter()
            .all(|(_, end)| *end == known(1)),
        "dead after the record: {ends:?}"
    );
    print_results(ends);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "figures for whoever runs the tests")]
fn print_results(ends: Vec<((String, CrashTiming), (String, usize))>) {
    for ((operation, death), (status, mails)) in ends {
        println!(
            "notify dies {:<6} {operation:<28} -> {status}, {mails} mails",
            format!("{death:?}").to_lowercase()
        );
    }
}

/// What the clock does in a quarter of an hour.
async fn age_claim(cloud: &LocalCloud, notice: &Notice, item: &Value) -> Result<()> {
    let before: Timestamp = text(item, "updated_at")?.parse()?;
    let request = cloud
        .dynamodb()
        .update_item()
        .table_name(cloud.output("NoticesTable")?);
    request
        .key(
            "organization_id",
            AttributeValue::S(notice.organization_id.to_string()),
        )
        .key("notice", AttributeValue::S(notice.notice.to_string()))
        .update_expression("SET updated_at = :before")
        .expression_attribute_values(
            ":before",
            AttributeValue::S((before - ABANDONED_CLAIM_AGE).to_string()),
        )
        .send()
        .await?;
    Ok(())
}

/// Mails to as many people, all taken by SES.
async fn send_emails(
    cloud: &LocalCloud,
    outbox: &mut Outbox<'_>,
    as_of: Timestamp,
    count: usize,
) -> Result<Vec<(Notice, AcceptedEmail, Call)>> {
    let addresses: Vec<String> = (0..count)
        .map(|number| format!("some{number}@crowd.example"))
        .collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let notices = outbox.write(as_of, STAGES[0], &addresses).await?;
    notify(cloud, as_of).await?;
    let calls = cloud.faults()?.calls_to("ses.SendEmail");
    let of_notice = |notice: Notice| {
        let call = calls
            .iter()
            .find(|call| feedback::notice_id(call).is_ok_and(|id| id == notice.id().to_string()));
        let call = call.context("a mail was not sent")?.clone();
        Ok((
            notice,
            AcceptedEmail::of(&call)?.context("a mail was not taken")?,
            call,
        ))
    };
    notices.into_iter().map(of_notice).collect()
}

async fn crash_record_feedback(
    cloud: &LocalCloud,
    mails: &[(Notice, AcceptedEmail, Call)],
) -> Result<()> {
    let configuration_set = cloud.output("ConfigurationSet")?.to_owned();
    let mut deaths = 0;
    for (moment, (notice, mail, _)) in Moment::all().zip(mails) {
        let body = json!({"source": "aws.ses", "detail": mail.event(&configuration_set, "Bounce")});
        let messages = queued("record-feedback.json", &body.to_string())?;
        let crashed_at =
            invoke_and_crash_at(cloud, "RecordFeedbackFunction", &messages, moment).await?;
        for _ in 0..2 {
            let answer = succeed(cloud, "RecordFeedbackFunction", &messages).await?;
            ensure!(answer == json!({"batchItemFailures": []}), "{answer}");
        }
        let (notice, contact) = (item(cloud, notice).await?, contact(cloud, notice).await?);
        let told = format!("{moment:?} of {crashed_at:?}: {notice} {contact}");
        ensure!(
            notice["status"] == "bounced" && notice["reason"] == "hard_bounce",
            "{told}"
        );
        ensure!(
            contact["hard_bounced_at"] == "2026-11-23T12:00:00Z"
                && contact["mails"] == 1
                && contact["version"] == 2,
            "{told}"
        );
        if crashed_at.is_none() {
            break;
        }
        deaths += 1;
    }
    ensure!(deaths == 4, "died {deaths} times");
    Ok(())
}

async fn unreadable_feedback_leaves_a_redacted_dead_letter(cloud: &LocalCloud) -> Result<()> {
    let messages = queued("record-feedback.json", "someone@crowd.example")?;
    for death in [CrashTiming::Before, CrashTiming::After] {
        invoke_and_crash_at(
            cloud,
            "RecordFeedbackFunction",
            &messages,
            Moment { nth: 0, death },
        )
        .await?
        .context("no letter was sent")?;
    }
    succeed(cloud, "RecordFeedbackFunction", &messages).await?;
    let letters = cloud.messages("FeedbackDeadLetterQueueUrl").await?;
    ensure!(
        letters.len() == 2 && letters[0].body == letters[1].body,
        "one of the second death, one of the last run: {letters:?}"
    );
    ensure!(!letters[0].body.contains("someone"), "{letters:?}");
    Ok(())
}

async fn crash_preferences(
    cloud: &LocalCloud,
    mails: &[(Notice, AcceptedEmail, Call)],
) -> Result<()> {
    let mut deaths = 0;
    for (moment, (notice, _, call)) in Moment::all().zip(mails) {
        let mut request = event("preferences-one-click.json")?;
        let link = unsubscribe_header_url(call)?;
        let token = link
            .path_segments()
            .and_then(|mut segments| segments.next_back())
            .context("no token")?;
        request["rawPath"] = json!(format!("/unsubscribe/{token}"));
        request["requestContext"]["http"]["path"] = request["rawPath"].clone();
        request["pathParameters"]["token"] = json!(token);
        let crashed_at =
            invoke_and_crash_at(cloud, "PreferencesFunction", &request, moment).await?;
        for _ in 0..2 {
            let answer = succeed(cloud, "PreferencesFunction", &request).await?;
            ensure!(answer["statusCode"] == 200, "{answer}");
        }
        let contact = contact(cloud, notice).await?;
        let told = format!("{moment:?} of {crashed_at:?}: {contact}");
        ensure!(
            contact["unsubscribed_onboarding"].is_string() && contact["unsubscribed_all"].is_null(),
            "{told}"
        );
        ensure!(contact["mails"] == 1, "{told}");
        if crashed_at.is_none() {
            break;
        }
        deaths += 1;
    }
    ensure!(deaths == 2, "died {deaths} times");
    Ok(())
}

/// A batch of one message, otherwise as in the file.
fn queued(file: &str, body: &str) -> Result<Value> {
    let mut batch = event(file)?;
    let records = batch["Records"].as_array_mut().context("no records")?;
    records.truncate(1);
    records[0]["body"] = json!(body);
    Ok(batch)
}

/// What SES has of a notice.
fn taken(cloud: &LocalCloud, notice: &Notice) -> Result<Vec<AcceptedEmail>> {
    let calls = cloud.faults()?.calls_to("ses.SendEmail");
    let mails: Vec<AcceptedEmail> = calls
        .iter()
        .filter_map(|call| AcceptedEmail::of(call).transpose())
        .collect::<Result<_>>()?;
    Ok(mails
        .into_iter()
        .filter(|mail| mail.notice_id == notice.id().to_string())
        .collect())
}

async fn item(cloud: &LocalCloud, notice: &Notice) -> Result<Value> {
    let items = of(cloud, "NoticesTable", notice.organization_id.as_str()).await?;
    items
        .into_iter()
        .find(|item| item["notice"] == notice.notice.to_string())
        .context("the notice is gone")
}

async fn contact(cloud: &LocalCloud, notice: &Notice) -> Result<Value> {
    let contacts = cloud.scan("ContactsTable").await?;
    contacts
        .into_iter()
        .find(|contact| contact["address_hash"] == notice.address_hash.to_string())
        .context("the contact is gone")
}

/// An organization's items of a table.
async fn of(cloud: &LocalCloud, table: &str, id: &str) -> Result<Vec<Value>> {
    Ok(cloud
        .scan(table)
        .await?
        .into_iter()
        .filter(|item| item["organization_id"] == id)
        .collect())
}
