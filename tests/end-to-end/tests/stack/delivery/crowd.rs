//! Many notices to fewer addresses, four notifiers at once, and an SES that throttles, fails and
//! breaks off.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use engagement::{FrequencyCaps, NoticeId};
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use local_cloud::{Call, Fault, LocalCloud, Options, Outcome};
use serde_json::Value;

use super::{
    feedback::{self, AcceptedEmail},
    outbox::{Outbox, STAGES},
};
use crate::support::{notify, now, options, text};

const NOTICES: usize = 500;
const ADDRESSES: usize = 300;
const NOTIFIERS: usize = 4;

/// Far more runs than the story needs: reached only if notices stay due for ever.
const MAX_ROUNDS: usize = 80;

/// A call to SES, and the moment for which its notifier worked.
struct Sending {
    call: Call,
    as_of: Timestamp,
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_notifiers_with_faults_lose_and_duplicate_nothing_and_respect_caps() -> Result<()>
{
    let cloud = LocalCloud::start(Options {
        organizations: 1,
        fault_proxy: true,
        ..options()
    })
    .await?;
    let begin = now();
    let mut outbox = Outbox::open(&cloud).await?;
    let mut planned = Vec::new();
    for number in 0..NOTICES {
        planned.extend(outbox.write(begin, STAGES[0], &[&address(number)]).await?);
    }
    let addresses: BTreeSet<_> = planned.iter().map(|notice| &notice.address_hash).collect();
    ensure!(
        (planned.len(), addresses.len()) == (NOTICES, ADDRESSES),
        "{} notices, {} addresses",
        planned.len(),
        addresses.len()
    );

    cloud.faults()?.plan(fault_plan());
    let attempts = send_until_nothing_is_due(&cloud, begin).await?;
    let accepted: Vec<AcceptedEmail> = attempts
        .iter()
        .filter_map(|it| AcceptedEmail::of(&it.call).transpose())
        .collect::<Result<_>>()?;
    assert_no_duplicates(&attempts, &accepted)?;
    assert_caps(&attempts)?;
    let before = statuses(&cloud).await?;
    let unsettled = unsettled(&cloud).await?;
    ensure!(
        accepted
            .iter()
            .any(|mail| unsettled.contains(&mail.notice_id)),
        "no mail was taken without an answer: the faults do nothing"
    );

    cloud.faults()?.plan(|_| Fault::None);
    let (bounced, complained) = publish_feedback(&cloud, &accepted).await?;
    let after = statuses(&cloud).await?;
    assert_final_statuses(&cloud, &accepted, &bounced, &complained).await?;
    print_figures(&attempts, &accepted, &before, &after);
    Ok(())
}

/// 260 addresses have one notice, 20 have three and 20 have nine.
fn address(number: usize) -> String {
    let address = match number {
        0..ADDRESSES => number,
        ADDRESSES..340 => 260 + number % 20,
        _ => 280 + number % 20,
    };
    format!("person{address}@crowd.example")
}

/// Attempts that DynamoDB fails at one operation, of the four that its clients make: its troubles
/// pass, while those of SES, which is asked once, do not.
const MAX_FAULTY_ATTEMPTS: u32 = 2;

/// What AWS does to the calls of the functions, by how often it was asked.
fn fault_plan() -> impl FnMut(&Call) -> Fault + Send {
    let mut asked = BTreeMap::<String, u64>::new();
    move |call| {
        if call.attempt > MAX_FAULTY_ATTEMPTS {
            return Fault::None;
        }
        let count = asked.entry(call.operation.clone()).or_default();
        *count += 1;
        match (call.operation.as_str(), *count % 40) {
            ("ses.SendEmail", 3 | 4 | 17 | 18 | 31) => {
                Fault::answer(429, "TooManyRequestsException")
            }
            ("ses.SendEmail", 7) => Fault::answer(500, "InternalFailure"),
            ("ses.SendEmail", 11) => Fault::DropRequest,
            ("ses.SendEmail", 22) => Fault::answer(400, "MessageRejected"),
            ("ses.SendEmail", 14 | 27)
            | ("dynamodb.TransactWriteItems" | "dynamodb.UpdateItem", 5) => Fault::DropResponse,
            ("dynamodb.TransactWriteItems" | "dynamodb.UpdateItem", 19) => {
                Fault::answer(400, "ThrottlingException")
            }
            ("dynamodb.TransactWriteItems" | "dynamodb.UpdateItem" | "dynamodb.Query", 33) => {
                Fault::answer(500, "InternalServerError")
            }
            _ => Fault::None,
        }
    }
}

/// Runs four notifiers at once for each moment at which something is due.
async fn send_until_nothing_is_due(cloud: &LocalCloud, begin: Timestamp) -> Result<Vec<Sending>> {
    let mut attempts = Vec::new();
    let mut as_of = begin;
    for _ in 0..MAX_ROUNDS {
        let Some(moment) = next_due_at(cloud).await? else {
            return Ok(attempts);
        };
        as_of = as_of.max(moment);
        let answers = try_join_all((0..NOTIFIERS).map(|_| notify(cloud, as_of))).await?;
        ensure!(
            answers.iter().all(|answer| answer["unreadable"] == 0),
            "{answers:?}"
        );
        let calls = cloud.faults()?.calls_to("ses.SendEmail");
        attempts.extend(
            calls
                .into_iter()
                .skip(attempts.len())
                .map(|call| Sending { call, as_of }),
        );
    }
    anyhow::bail!("notices are still due: {:?}", statuses(cloud).await?)
}

/// The latest moment of the next hour in which something is due.
async fn next_due_at(cloud: &LocalCloud) -> Result<Option<Timestamp>> {
    let notices = cloud.scan("NoticesTable").await?;
    let due: Vec<Timestamp> = notices
        .iter()
        .filter(|notice| notice["status"] == "due")
        .map(|notice| Ok(text(notice, "due_at")?.parse()?))
        .collect::<Result<_>>()?;
    let Some(first) = due.iter().min() else {
        return Ok(None);
    };
    let within = *first + SignedDuration::from_hours(1);
    Ok(due.into_iter().filter(|due_at| *due_at <= within).max())
}

/// SES has each mail once, and was asked again only where it had refused.
fn assert_no_duplicates(attempts: &[Sending], accepted: &[AcceptedEmail]) -> Result<()> {
    let distinct: BTreeSet<_> = accepted.iter().map(|mail| &mail.notice_id).collect();
    ensure!(
        distinct.len() == accepted.len(),
        "{} mails for {} notices",
        accepted.len(),
        distinct.len()
    );
    let mut unproven = BTreeSet::new();
    for Sending { call, .. } in attempts {
        let notice = feedback::notice_id(call)?;
        ensure!(
            !unproven.contains(&notice),
            "SES was asked again although it may have had the mail"
        );
        if may_have_been_accepted(call) {
            unproven.insert(notice);
        }
    }
    Ok(())
}

fn may_have_been_accepted(call: &Call) -> bool {
    !matches!(&call.outcome, Outcome::Answered(answer) if (400..500).contains(&answer.status))
}

/// Judged from outside: by what SES was asked, not by what the contacts say.
fn assert_caps(attempts: &[Sending]) -> Result<()> {
    ensure!(
        FrequencyCaps::default() == "1/3d,4/30d".parse()?,
        "the test knows other caps than the product"
    );
    let mut mails = BTreeMap::<String, Vec<Timestamp>>::new();
    for Sending { call, as_of } in attempts
        .iter()
        .filter(|sending| may_have_been_accepted(&sending.call))
    {
        mails
            .entry(feedback::address(call)?)
            .or_default()
            .push(*as_of);
    }
    for (address, moments) in mails {
        for (cap, days) in [(1, 3), (4, 30)] {
            let too_soon = moments.windows(cap + 1).any(|mails| {
                mails[cap].duration_since(mails[0]) < SignedDuration::from_hours(24 * days)
            });
            ensure!(
                !too_soon,
                "{address} got more than {cap} mails in {days} days: {moments:?}"
            );
        }
    }
    Ok(())
}

/// Notices by status and reason: all of them, and none without a reason but those that went out.
async fn statuses(cloud: &LocalCloud) -> Result<BTreeMap<String, usize>> {
    let mut statuses = BTreeMap::new();
    for notice in cloud.scan("NoticesTable").await? {
        let status = text(&notice, "status")?;
        let status = match (status.as_str(), notice["reason"].as_str()) {
            ("sent" | "delivered" | "complained", None) => status,
            (_, Some(reason)) => format!("{status}:{reason}"),
            (_, None) => anyhow::bail!("{status} without a reason"),
        };
        *statuses.entry(status).or_default() += 1;
    }
    ensure!(
        statuses.values().sum::<usize>() == NOTICES,
        "notices are missing: {statuses:?}"
    );
    Ok(statuses)
}

async fn unsettled(cloud: &LocalCloud) -> Result<BTreeSet<String>> {
    let notices = cloud.scan("NoticesTable").await?;
    notices
        .iter()
        .filter(|notice| notice["status"] == "unknown")
        .map(tag)
        .collect()
}

/// The tag that a notice's mail has.
fn tag(notice: &Value) -> Result<String> {
    let id = NoticeId {
        organization_id: text(notice, "organization_id")?.parse()?,
        notice: serde_json::from_value(notice["notice"].clone())?,
    };
    Ok(id.to_string())
}

/// Tells everything twice and in disorder; some mails bounced, and some recipients complained.
async fn publish_feedback(
    cloud: &LocalCloud,
    accepted: &[AcceptedEmail],
) -> Result<(BTreeSet<String>, BTreeSet<String>)> {
    let configuration_set = cloud.output("ConfigurationSet")?;
    let (mut bounced, mut complained, mut events) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for (number, mail) in accepted.iter().enumerate() {
        let mut kinds = vec!["Send"];
        match number % 25 {
            3 => {
                kinds.push("Bounce");
                bounced.insert(mail.notice_id.clone());
            }
            9 => {
                kinds.extend(["Delivery", "Complaint"]);
                complained.insert(mail.notice_id.clone());
            }
            _ => kinds.push("Delivery"),
        }
        events.extend(
            kinds
                .iter()
                .chain(&kinds)
                .map(|kind| mail.event(configuration_set, kind)),
        );
    }
    let disorder = |number: usize| number.wrapping_mul(2_654_435_761) % 1_000_003;
    let mut events: Vec<(usize, Value)> = events.into_iter().enumerate().collect();
    events.sort_by_key(|(number, _)| disorder(*number));
    let events: Vec<Value> = events.into_iter().map(|(_, event)| event).collect();
    feedback::publish(cloud, &events).await?;
    ensure!(
        cloud
            .messages("FeedbackDeadLetterQueueUrl")
            .await?
            .is_empty(),
        "feedback was set aside"
    );
    Ok((bounced, complained))
}

/// What SES has is `delivered`, `bounced` or `complained`; what it has not is none of these, nor
/// `sent`.
async fn assert_final_statuses(
    cloud: &LocalCloud,
    accepted: &[AcceptedEmail],
    bounced: &BTreeSet<String>,
    complained: &BTreeSet<String>,
) -> Result<()> {
    let accepted: BTreeMap<_, _> = accepted
        .iter()
        .map(|mail| (&mail.notice_id, mail.id()))
        .collect();
    for notice in cloud.scan("NoticesTable").await? {
        let tag = tag(&notice)?;
        let expected: &[&str] = match accepted.get(&tag) {
            None => &["skipped", "failed", "unknown"],
            Some(_) if bounced.contains(&tag) => &["bounced"],
            Some(_) if complained.contains(&tag) => &["complained"],
            Some(_) => &["delivered"],
        };
        let status = text(&notice, "status")?;
        ensure!(
            expected.contains(&status.as_str()),
            "{expected:?} was expected of {notice}"
        );
        if let Some(id) = accepted.get(&tag) {
            ensure!(
                text(&notice, "message_id")?.starts_with(id),
                "expected {id} in {notice}"
            );
        }
    }
    let suppressed = cloud.scan("ContactsTable").await?;
    let count = |attribute: &str| {
        suppressed
            .iter()
            .filter(|contact| !contact[attribute].is_null())
            .count()
    };
    let (hard_bounced, complaints) = (count("hard_bounced_at"), count("complained_at"));
    ensure!(
        hard_bounced > 0 && hard_bounced <= bounced.len(),
        "{hard_bounced} contacts bounced"
    );
    ensure!(
        complaints > 0 && complaints <= complained.len(),
        "{complaints} contacts complained"
    );
    Ok(())
}

#[expect(clippy::print_stdout, reason = "figures for whoever runs the tests")]
fn print_figures(
    attempts: &[Sending],
    accepted: &[AcceptedEmail],
    before: &BTreeMap<String, usize>,
    after: &BTreeMap<String, usize>,
) {
    let mut outcomes = BTreeMap::<String, usize>::new();
    for Sending { call, .. } in attempts {
        let outcome = match &call.outcome {
            Outcome::Answered(answer) => answer.status.to_string(),
            Outcome::Cut => format!(
                "cut, {}",
                if call.accepted.is_some() {
                    "taken"
                } else {
                    "not taken"
                }
            ),
            Outcome::UnderWay => "under way".to_owned(),
        };
        *outcomes.entry(outcome).or_default() += 1;
    }
    let moments: BTreeSet<_> = attempts.iter().map(|sending| sending.as_of).collect();
    println!(
        "{NOTICES} notices to {ADDRESSES} addresses, {NOTIFIERS} notifiers at once at {} moments",
        moments.len()
    );
    println!("{} requests to SES: {outcomes:?}", attempts.len());
    println!("{} mails taken by SES, 0 twice", accepted.len());
    println!("before feedback: {before:?}");
    println!("after feedback:  {after:?}");
}
