//! 500 notices to 300 addresses, four concurrent notifiers, and an SES that throttles, fails and
//! drops connections.

mod checks;
mod faults;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail, ensure};
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use local_cloud::{AwsFault, CallOutcome, LocalCloud, Options};
use serde_json::Value;

use self::{
    checks::{Feedback, SendAttempt, assert_caps, assert_final_statuses, assert_no_duplicates},
    faults::fault_plan,
};
use super::{
    feedback::{self, AcceptedEmail},
    outbox::{Outbox, STAGE_PER_CATEGORY},
    sent_call::notice_tag,
};
use crate::support::{notify, now, options, text_attribute};

const NOTICES: usize = 500;
const ADDRESSES: usize = 300;
const NOTIFIERS: usize = 4;

/// Far more rounds than the test needs: reached only if notices stay due for ever.
const MAX_ROUNDS: usize = 80;

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
    write_notices(&cloud, begin).await?;

    cloud.fault_proxy()?.set_fault_plan(fault_plan());
    let attempts = send_until_nothing_is_due(&cloud, begin).await?;
    let accepted: Vec<AcceptedEmail> = attempts
        .iter()
        .filter_map(|attempt| AcceptedEmail::from_call(&attempt.call).transpose())
        .collect::<Result<_>>()?;
    assert_no_duplicates(&attempts, &accepted)?;
    assert_caps(&attempts)?;
    let before = count_by_status(&cloud).await?;
    let unknown = unknown_notices(&cloud).await?;
    ensure!(
        accepted
            .iter()
            .any(|email| unknown.contains(&email.notice_id)),
        "the faults have no effect: notify received every response of SES"
    );

    cloud
        .fault_proxy()?
        .set_fault_plan(|_| AwsFault::PassThrough);
    let feedback = publish_feedback(&cloud, &accepted).await?;
    let after = count_by_status(&cloud).await?;
    assert_final_statuses(&cloud, &accepted, &feedback).await?;

    print_figures(&attempts, &accepted, &before, &after);
    Ok(())
}

async fn write_notices(cloud: &LocalCloud, begin: Timestamp) -> Result<()> {
    let mut outbox = Outbox::new(cloud).await?;
    let mut notices = Vec::new();
    for number in 0..NOTICES {
        let address = address(number);
        notices.extend(
            outbox
                .write(begin, STAGE_PER_CATEGORY[0], &[&address])
                .await?,
        );
    }

    let addresses: BTreeSet<_> = notices.iter().map(|notice| &notice.address_hash).collect();
    ensure!(
        (notices.len(), addresses.len()) == (NOTICES, ADDRESSES),
        "{} notices, {} addresses",
        notices.len(),
        addresses.len()
    );
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

/// Runs four concurrent notifiers as of each time at which a notice is due.
async fn send_until_nothing_is_due(
    cloud: &LocalCloud,
    begin: Timestamp,
) -> Result<Vec<SendAttempt>> {
    let mut attempts = Vec::new();
    let mut as_of = begin;

    for _ in 0..MAX_ROUNDS {
        let Some(due_at) = next_due_at(cloud).await? else {
            return Ok(attempts);
        };
        as_of = as_of.max(due_at);
        let responses = try_join_all((0..NOTIFIERS).map(|_| notify(cloud, as_of))).await?;
        ensure!(
            responses.iter().all(|response| response["unreadable"] == 0),
            "{responses:?}"
        );

        let calls = cloud.fault_proxy()?.calls_to("ses.SendEmail");
        attempts.extend(
            calls
                .into_iter()
                .skip(attempts.len())
                .map(|call| SendAttempt { call, as_of }),
        );
    }
    bail!("notices are still due: {:?}", count_by_status(cloud).await?)
}

/// The latest due time within an hour from the earliest one; `None`: no notice is due.
async fn next_due_at(cloud: &LocalCloud) -> Result<Option<Timestamp>> {
    let notices = cloud.scan("NoticesTable").await?;
    let due: Vec<Timestamp> = notices
        .iter()
        .filter(|notice| notice["status"] == "due")
        .map(|notice| Ok(text_attribute(notice, "due_at")?.parse()?))
        .collect::<Result<_>>()?;
    let Some(first) = due.iter().min() else {
        return Ok(None);
    };

    let limit = *first + SignedDuration::from_hours(1);
    Ok(due.into_iter().filter(|due_at| *due_at <= limit).max())
}

/// The number of notices by status and reason. `Err`: a notice is missing, or one that was not sent
/// has no reason.
async fn count_by_status(cloud: &LocalCloud) -> Result<BTreeMap<String, usize>> {
    let mut statuses = BTreeMap::new();
    for notice in cloud.scan("NoticesTable").await? {
        let status = text_attribute(&notice, "status")?;
        let status = match (status.as_str(), notice["reason"].as_str()) {
            ("sent" | "delivered" | "complained", None) => status,
            (_, Some(reason)) => format!("{status}:{reason}"),
            (_, None) => bail!("{status} without a reason"),
        };
        *statuses.entry(status).or_default() += 1;
    }

    ensure!(
        statuses.values().sum::<usize>() == NOTICES,
        "notices are missing: {statuses:?}"
    );
    Ok(statuses)
}

/// The `notice_id` tags of the notices with status `unknown`.
async fn unknown_notices(cloud: &LocalCloud) -> Result<BTreeSet<String>> {
    let notices = cloud.scan("NoticesTable").await?;

    notices
        .iter()
        .filter(|notice| notice["status"] == "unknown")
        .map(notice_tag)
        .collect()
}

/// Publishes each event twice, shuffled. Some e-mails bounce, and some recipients complain.
async fn publish_feedback(cloud: &LocalCloud, accepted: &[AcceptedEmail]) -> Result<Feedback> {
    let configuration_set = cloud.output("ConfigurationSet")?;
    let mut feedback = Feedback::default();
    let mut events = Vec::new();

    for (number, email) in accepted.iter().enumerate() {
        let kinds: &[&str] = match number % 25 {
            3 => {
                feedback.bounced.insert(email.notice_id.clone());
                &["Send", "Bounce"]
            }
            9 => {
                feedback.complained.insert(email.notice_id.clone());
                &["Send", "Delivery", "Complaint"]
            }
            _ => &["Send", "Delivery"],
        };
        events.extend(
            kinds
                .iter()
                .chain(kinds)
                .map(|kind| email.feedback_event(configuration_set, kind)),
        );
    }

    let shuffle_key = |number: usize| number.wrapping_mul(2_654_435_761) % 1_000_003;
    let mut events: Vec<(usize, Value)> = events.into_iter().enumerate().collect();
    events.sort_by_key(|(number, _)| shuffle_key(*number));
    let events: Vec<Value> = events.into_iter().map(|(_, event)| event).collect();
    feedback::publish(cloud, &events).await?;

    ensure!(
        cloud
            .messages("FeedbackDeadLetterQueueUrl")
            .await?
            .is_empty(),
        "feedback was moved to the dead-letter queue"
    );
    Ok(feedback)
}

#[expect(clippy::print_stdout, reason = "figures for whoever runs the tests")]
fn print_figures(
    attempts: &[SendAttempt],
    accepted: &[AcceptedEmail],
    before: &BTreeMap<String, usize>,
    after: &BTreeMap<String, usize>,
) {
    let mut outcomes = BTreeMap::<String, usize>::new();
    for SendAttempt { call, .. } in attempts {
        let outcome = match &call.outcome {
            CallOutcome::Responded(response) => response.status.to_string(),
            CallOutcome::Disconnected if call.aws_response.is_some() => {
                "disconnected, accepted".to_owned()
            }
            CallOutcome::Disconnected => "disconnected, not accepted".to_owned(),
            CallOutcome::InProgress => "in progress".to_owned(),
        };
        *outcomes.entry(outcome).or_default() += 1;
    }
    let times: BTreeSet<_> = attempts.iter().map(|attempt| attempt.as_of).collect();

    println!(
        "{NOTICES} notices to {ADDRESSES} addresses, {NOTIFIERS} concurrent notifiers at {} times",
        times.len()
    );
    println!("{} requests to SES: {outcomes:?}", attempts.len());
    println!("{} e-mails accepted by SES, 0 duplicates", accepted.len());
    println!("before feedback: {before:?}");
    println!("after feedback:  {after:?}");
}
