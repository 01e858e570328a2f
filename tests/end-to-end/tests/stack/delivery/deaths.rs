//! Death between any two side effects. At each write, just before it or just after, a function
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
    feedback::{self, Accepted},
    mail_quality::list_headers,
    outbox::{Outbox, STAGES},
};
use crate::support::{event, notify, now, options, organizations, succeed, text};

/// Operations that change something outside the function.
const EFFECTS: [&str; 7] = [
    "dynamodb.DeleteItem",
    "dynamodb.PutItem",
    "dynamodb.TransactWriteItems",
    "dynamodb.UpdateItem",
    "ses.SendEmail",
    "sqs.SendMessage",
    "sqs.SendMessageBatch",
];

/// Older than any claim that is still alive.
const LONG_AGO: SignedDuration = SignedDuration::from_mins(16);

/// When a function dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    Before,
    After,
}

/// One death: at which side effect, counted from 0, and when.
#[derive(Debug, Clone, Copy)]
struct Moment {
    nth: usize,
    death: Death,
}

impl Moment {
    fn all() -> impl Iterator<Item = Self> {
        (0..).flat_map(|nth| [Death::Before, Death::After].map(|death| Self { nth, death }))
    }
}

/// Runs a function that dies at that moment. Returns the operation at which it did; `None`: it came
/// to its end before.
async fn run_until(
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
        let is_dead = seen.len() > moment.nth;
        if call.function.as_deref() != Some(function)
            || (!is_dead && !EFFECTS.contains(&call.operation.as_str()))
        {
            return Fault::None;
        }
        seen.push(call.operation.clone());
        match (is_dead, seen.len() > moment.nth, moment.death) {
            (true, ..) | (false, true, Death::Before) => Fault::CutBefore,
            (false, true, Death::After) => Fault::CutAfter,
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
async fn a_sweep_that_dies_anywhere_looks_at_each_organization_once_all_the_same() -> Result<()> {
    let cloud = LocalCloud::start(Options {
        organizations: 25,
        fault_proxy: true,
        ..options()
    })
    .await?;
    let begin = now();
    sync_organization_dies(&cloud, begin).await?;
    fan_out_dies(&cloud, begin).await
}

async fn sync_organization_dies(cloud: &LocalCloud, as_of: Timestamp) -> Result<()> {
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
        let died_at = run_until(cloud, "SyncOrganizationFunction", &messages, moment).await?;
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
        let told = format!("{moment:?} of {died_at:?}");
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
        let Some(died_at) = died_at else { break };
        deaths.push(died_at);
    }
    ensure!(
        deaths
            .iter()
            .any(|operation| operation == "dynamodb.TransactWriteItems"),
        "it never died at its write: {deaths:?}"
    );
    Ok(())
}

async fn fan_out_dies(cloud: &LocalCloud, begin: Timestamp) -> Result<()> {
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
        let died_at = run_until(cloud, "FanOutFunction", &event, moment).await?;
        for _ in 0..2 {
            succeed(cloud, "FanOutFunction", &event).await?;
        }
        cloud
            .wait_until_drained(std::time::Duration::from_mins(2), |_| {})
            .await?;
        let found = organizations(cloud).await?;
        ensure!(
            found.len() == 25,
            "{moment:?} of {died_at:?}: {} organizations",
            found.len()
        );
        for (id, item) in &found {
            let is_looked_at_once = item["checked_at"] == json!(as_of)
                && item["version"].as_u64() == Some(before(id, &known) + 1);
            ensure!(
                is_looked_at_once,
                "{moment:?} of {died_at:?} at {as_of}: {item}"
            );
        }
        let Some(died_at) = died_at else { break };
        deaths.push(died_at);
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
async fn a_mail_goes_out_at_most_once_and_its_end_is_known_wherever_functions_die() -> Result<()> {
    let options = Options {
        organizations: 1,
        fault_proxy: true,
        ..options()
    }
    .parameter("DailySendLimit", "5000");
    let cloud = LocalCloud::start(options).await?;
    let as_of = now();
    let mut outbox = Outbox::open(&cloud).await?;
    notify_dies(&cloud, &mut outbox, as_of).await?;
    let mails = send_some(&cloud, &mut outbox, as_of, 12).await?;
    let (for_feedback, for_preferences) = mails.split_at(7);
    record_feedback_dies(&cloud, for_feedback).await?;
    a_letter_is_left_for_what_cannot_be_read(&cloud).await?;
    preferences_dies(&cloud, for_preferences).await
}

async fn notify_dies(cloud: &LocalCloud, outbox: &mut Outbox<'_>, as_of: Timestamp) -> Result<()> {
    let configuration_set = cloud.output("ConfigurationSet")?.to_owned();
    let mut ends = Vec::new();
    for (case, moment) in Moment::all().enumerate() {
        let notice = outbox
            .write(as_of, STAGES[0], &[&format!("death{case}@crowd.example")])
            .await?
            .remove(0);
        let died_at = run_until(cloud, "NotifyFunction", &json!({"time": as_of}), moment).await?;
        notify(cloud, as_of).await?;
        let left = item(cloud, &notice).await?;
        if left["status"] == "claimed" {
            let_it_grow_old(cloud, &notice, &left).await?;
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
            "{moment:?} of {died_at:?}: {} mails, {settled}, {end}",
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
        let Some(died_at) = died_at else { break };
        ends.push(((died_at, moment.death), (settled, mails.len())));
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
        ((claim.clone(), Death::Before), known(1)),
        ((claim, Death::After), unsure(0)),
        ((send.clone(), Death::Before), unsure(0)),
        ((send, Death::After), unsure(1)),
        (("dynamodb.UpdateItem".to_owned(), Death::Before), unsure(1)),
        (("dynamodb.UpdateItem".to_owned(), Death::After), known(1)),
    ];
    ensure!(ends[before_claim..].starts_with(&expected), "{ends:?}");
    ensure!(
        ends[before_claim + expected.len()..]
            .iter()
            .all(|(_, end)| *end == known(1)),
        "dead after the record: {ends:?}"
    );
    print_ends(ends);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "figures for whoever runs the tests")]
fn print_ends(ends: Vec<((String, Death), (String, usize))>) {
    for ((operation, death), (status, mails)) in ends {
        println!(
            "notify dies {:<6} {operation:<28} -> {status}, {mails} mails",
            format!("{death:?}").to_lowercase()
        );
    }
}

/// What the clock does in a quarter of an hour.
async fn let_it_grow_old(cloud: &LocalCloud, notice: &Notice, item: &Value) -> Result<()> {
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
            AttributeValue::S((before - LONG_AGO).to_string()),
        )
        .send()
        .await?;
    Ok(())
}

/// Mails to as many people, all taken by SES.
async fn send_some(
    cloud: &LocalCloud,
    outbox: &mut Outbox<'_>,
    as_of: Timestamp,
    count: usize,
) -> Result<Vec<(Notice, Accepted, Call)>> {
    let addresses: Vec<String> = (0..count)
        .map(|number| format!("some{number}@crowd.example"))
        .collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let notices = outbox.write(as_of, STAGES[0], &addresses).await?;
    notify(cloud, as_of).await?;
    let calls = cloud.faults()?.calls_of("ses.SendEmail");
    let of_notice = |notice: Notice| {
        let call = calls
            .iter()
            .find(|call| feedback::notice_id(call).is_ok_and(|id| id == notice.id().to_string()));
        let call = call.context("a mail was not sent")?.clone();
        Ok((
            notice,
            Accepted::of(&call)?.context("a mail was not taken")?,
            call,
        ))
    };
    notices.into_iter().map(of_notice).collect()
}

async fn record_feedback_dies(
    cloud: &LocalCloud,
    mails: &[(Notice, Accepted, Call)],
) -> Result<()> {
    let configuration_set = cloud.output("ConfigurationSet")?.to_owned();
    let mut deaths = 0;
    for (moment, (notice, mail, _)) in Moment::all().zip(mails) {
        let body = json!({"source": "aws.ses", "detail": mail.event(&configuration_set, "Bounce")});
        let messages = queued("record-feedback.json", &body.to_string())?;
        let died_at = run_until(cloud, "RecordFeedbackFunction", &messages, moment).await?;
        for _ in 0..2 {
            let answer = succeed(cloud, "RecordFeedbackFunction", &messages).await?;
            ensure!(answer == json!({"batchItemFailures": []}), "{answer}");
        }
        let (notice, contact) = (item(cloud, notice).await?, contact(cloud, notice).await?);
        let told = format!("{moment:?} of {died_at:?}: {notice} {contact}");
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
        if died_at.is_none() {
            break;
        }
        deaths += 1;
    }
    ensure!(deaths == 4, "died {deaths} times");
    Ok(())
}

async fn a_letter_is_left_for_what_cannot_be_read(cloud: &LocalCloud) -> Result<()> {
    let messages = queued("record-feedback.json", "someone@crowd.example")?;
    for death in [Death::Before, Death::After] {
        run_until(
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

async fn preferences_dies(cloud: &LocalCloud, mails: &[(Notice, Accepted, Call)]) -> Result<()> {
    let mut deaths = 0;
    for (moment, (notice, _, call)) in Moment::all().zip(mails) {
        let mut request = event("preferences-one-click.json")?;
        let link = list_headers(call)?;
        let token = link
            .path_segments()
            .and_then(|mut segments| segments.next_back())
            .context("no token")?;
        request["rawPath"] = json!(format!("/unsubscribe/{token}"));
        request["requestContext"]["http"]["path"] = request["rawPath"].clone();
        request["pathParameters"]["token"] = json!(token);
        let died_at = run_until(cloud, "PreferencesFunction", &request, moment).await?;
        for _ in 0..2 {
            let answer = succeed(cloud, "PreferencesFunction", &request).await?;
            ensure!(answer["statusCode"] == 200, "{answer}");
        }
        let contact = contact(cloud, notice).await?;
        let told = format!("{moment:?} of {died_at:?}: {contact}");
        ensure!(
            contact["unsubscribed_onboarding"].is_string() && contact["unsubscribed_all"].is_null(),
            "{told}"
        );
        ensure!(contact["mails"] == 1, "{told}");
        if died_at.is_none() {
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
fn taken(cloud: &LocalCloud, notice: &Notice) -> Result<Vec<Accepted>> {
    let calls = cloud.faults()?.calls_of("ses.SendEmail");
    let mails: Vec<Accepted> = calls
        .iter()
        .filter_map(|call| Accepted::of(call).transpose())
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
