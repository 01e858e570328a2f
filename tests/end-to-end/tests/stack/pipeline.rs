//! The main story: two sweeps at once, one mail to each, nothing twice, and the same again a month
//! later.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use content::Content;
use engagement::Stage;
use jiff::{SignedDuration, Timestamp};
use local_cloud::{LocalCloud, Options};
use serde_json::{Value, json};

use crate::support::{
    assert_stages, logs, notify, now, options, organizations, succeed, sweep, text,
};

#[tokio::test(flavor = "multi_thread")]
async fn organizations_get_their_stage_and_one_email_now_and_a_month_later() -> Result<()> {
    // Without caps: a bookkeeper of two organizations hears of both on one day.
    let cloud = LocalCloud::start(
        Options {
            organizations: 90,
            ..options()
        }
        .parameter("SendCaps", "none"),
    )
    .await?;
    let today = now();
    concurrent_sweeps_sync_each_organization_once(&cloud, today).await?;
    each_expected_recipient_gets_exactly_one_email(&cloud, today).await?;
    repeating_the_day_changes_nothing(&cloud, today).await?;
    a_month_later_active_organizations_are_dormant_and_notified(
        &cloud,
        today + SignedDuration::from_hours(31 * 24),
    )
    .await?;
    no_log_line_contains_personal_data_or_credentials(&cloud).await?;
    ensure!(
        cloud.dead_letters().await?.is_empty(),
        "messages were left in the dead-letter queue"
    );
    Ok(())
}

async fn concurrent_sweeps_sync_each_organization_once(
    cloud: &LocalCloud,
    as_of: Timestamp,
) -> Result<()> {
    futures::try_join!(sweep(cloud, as_of), sweep(cloud, as_of))?;
    assert_stages(cloud, as_of).await?;
    let written_twice: Vec<_> = organizations(cloud)
        .await?
        .into_iter()
        .filter(|(_, item)| item["version"] != json!(1))
        .collect();
    ensure!(
        written_twice.is_empty(),
        "written more than once: {written_twice:?}"
    );
    let transitions = cloud.scan("TransitionsTable").await?.len();
    ensure!(
        transitions == organizations(cloud).await?.len(),
        "{transitions} transitions"
    );
    let mut statistics = cloud.sandbox().statistics();
    // Two looks at one organization may overlap, as it was queued twice, and each sends two
    // requests at once. BILL takes three.
    statistics.errors_by_code.remove("BDC_1322");
    let busiest = statistics.max_concurrent_by_organization.values().max();
    ensure!(
        busiest <= Some(&4),
        "{busiest:?} requests at once for one organization"
    );
    ensure!(
        statistics.errors_by_code.is_empty(),
        "BILL answered with errors: {:?} (most at once: {busiest:?})",
        statistics.errors_by_code
    );
    Ok(())
}

async fn each_expected_recipient_gets_exactly_one_email(
    cloud: &LocalCloud,
    as_of: Timestamp,
) -> Result<()> {
    let answer = notify(cloud, as_of).await?;
    ensure!(answer["outcome"] == "completed", "{answer}");
    let content = Content::embedded()?;
    let due_at_once = |stage: Stage| {
        content
            .rules()
            .campaigns
            .for_stage(stage)
            .is_some_and(|campaign| campaign.steps[0].after.is_zero())
    };
    let mut expected = BTreeMap::<String, usize>::new();
    for expectation in cloud.sandbox().population(as_of) {
        let Some(stage) = expectation.expected_stage else {
            continue;
        };
        if due_at_once(stage.parse()?) {
            for address in expectation.expected_recipients {
                *expected.entry(address).or_default() += 1;
            }
        }
    }
    ensure!(
        expected.values().sum::<usize>() > 10,
        "too few mails are expected for the test to mean anything"
    );
    let mut received = BTreeMap::<String, usize>::new();
    for mail in cloud.sent_emails().await? {
        ensure!(
            !mail.html.contains("<script"),
            "a name became part of the page: {}",
            mail.subject
        );
        ensure!(
            !mail.subject.contains(['\r', '\n']),
            "a subject has a line break"
        );
        *received.entry(mail.to).or_default() += 1;
    }
    ensure!(
        received == expected,
        "expected {expected:?}\nreceived {received:?}"
    );
    Ok(())
}

async fn repeating_the_day_changes_nothing(cloud: &LocalCloud, as_of: Timestamp) -> Result<()> {
    let before = contents(cloud).await?;
    let mails = cloud.sent_emails().await?.len();
    cloud.sandbox().reset_statistics();
    let answer = sweep(cloud, as_of).await?;
    ensure!(answer["due"] == 0 && answer["queued"] == 0, "{answer}");
    notify(cloud, as_of).await?;
    ensure!(contents(cloud).await? == before, "a table changed");
    ensure!(
        cloud.sent_emails().await?.len() == mails,
        "mail was sent again"
    );
    let statistics = cloud.sandbox().statistics();
    ensure!(
        statistics.by_organization.is_empty(),
        "organizations were asked about that were not due: {:?}",
        statistics.by_organization
    );
    let listed = statistics
        .by_endpoint
        .get("listPartnerOrganizations")
        .copied()
        .unwrap_or_default();
    ensure!(
        statistics.requests - statistics.partner_logins == listed,
        "{statistics:?}"
    );
    Ok(())
}

async fn a_month_later_active_organizations_are_dormant_and_notified(
    cloud: &LocalCloud,
    as_of: Timestamp,
) -> Result<()> {
    let before = organizations(cloud).await?;
    let mails_before = cloud.sent_emails().await?.len();
    sweep(cloud, as_of).await?;
    assert_stages(cloud, as_of).await?;
    let mut newly_dormant: Vec<String> = Vec::new();
    for (id, item) in organizations(cloud).await? {
        if item["stage"] == "dormant_30"
            && before
                .get(&id)
                .is_some_and(|before| before["stage"] == "active")
        {
            newly_dormant.push(id);
        }
    }
    ensure!(!newly_dormant.is_empty(), "no payer became dormant");
    notify(cloud, as_of).await?;
    let notices = cloud.scan("NoticesTable").await?;
    let recipients: BTreeMap<_, _> = cloud
        .sandbox()
        .population(as_of)
        .into_iter()
        .filter_map(|it| Some((it.organization_id?, it.expected_recipients)))
        .collect();
    for id in newly_dormant {
        let sent = |notice: &&Value| {
            notice["organization_id"] == json!(id)
                && notice["stage"] == "dormant_30"
                && notice["status"] == "sent"
        };
        let mut addresses = notices
            .iter()
            .filter(sent)
            .map(|notice| text(notice, "address"))
            .collect::<Result<Vec<_>>>()?;
        let mut expected = recipients
            .get(&id)
            .cloned()
            .context("an organization that the sandbox does not know")?;
        addresses.sort();
        expected.sort();
        ensure!(
            addresses == expected,
            "{id}: expected {expected:?}, sent to {addresses:?}"
        );
    }
    let mails = cloud.sent_emails().await?;
    ensure!(mails.len() > mails_before, "nobody was written to");
    let mut by_message: Vec<_> = notices
        .iter()
        .filter(|notice| notice["status"] == "sent")
        .map(|notice| text(notice, "message_id"))
        .collect::<Result<_>>()?;
    let mut message_ids: Vec<_> = mails.into_iter().map(|mail| mail.message_id).collect();
    by_message.sort();
    message_ids.sort();
    ensure!(
        by_message == message_ids,
        "the sent notices and the sent mails are not the same"
    );
    let unsettled = notices
        .iter()
        .filter(|notice| !matches!(notice["status"].as_str(), Some("sent" | "skipped")))
        .count();
    ensure!(unsettled == 0, "{unsettled} notices were left");
    Ok(())
}

/// Searches the logs for everything that BILL's rows hold about people and companies, and for
/// credentials.
async fn no_log_line_contains_personal_data_or_credentials(cloud: &LocalCloud) -> Result<()> {
    let mut private = secrets(cloud)?;
    for item in cloud.scan("OrganizationsTable").await? {
        let Some(organization) = cloud
            .sandbox()
            .organization(&text(&item, "organization_id")?)
        else {
            continue;
        };
        private.extend(organization.name);
        for user in organization.users {
            private.extend(user.email.into_iter().chain(user.last_name));
        }
    }
    private.extend(listed_personal_data(cloud).await?);
    private.retain(|text| text.trim().len() > 3);
    ensure!(
        private.len() > 300,
        "only {} private texts to look for",
        private.len()
    );
    let lines = logs(cloud).await?;
    ensure!(lines.len() > 20, "only {} log lines", lines.len());
    for line in &lines {
        let lower = line.to_lowercase();
        if let Some(found) = private
            .iter()
            .find(|text| lower.contains(&text.to_lowercase()))
        {
            anyhow::bail!("{found:?} stands in the log line {line}");
        }
    }
    Ok(())
}

fn secrets(cloud: &LocalCloud) -> Result<Vec<String>> {
    let credentials: Value = serde_json::from_str(&cloud.sandbox().credentials().to_json())?;
    Ok(credentials
        .as_object()
        .context("no object")?
        .values()
        .filter_map(|value| value.as_str().map(str::to_owned))
        .collect())
}

/// Tax ids, dates of birth and phone numbers, as a partner's own program would read them.
async fn listed_personal_data(cloud: &LocalCloud) -> Result<Vec<String>> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a plain client of the sandbox on loopback"
    )]
    let http = reqwest::Client::new();
    let base = cloud.sandbox().url();
    let credentials = cloud.sandbox().credentials();
    let login = json!({"username": credentials.username, "password": credentials.password, "appKey": credentials.app_key});
    let session: Value = http
        .post(format!("{base}/v3/partner/login"))
        .json(&login)
        .send()
        .await?
        .json()
        .await?;
    let session = text(&session, "sessionId")?;
    let list = http.get(format!("{base}/v3/partner/organizations?max=100"));
    let page: Value = list
        .header("sessionId", session)
        .header("appKey", &credentials.app_key)
        .send()
        .await?
        .json()
        .await?;
    let rows = page["results"].as_array().context("no list")?;
    let fields = [
        "/taxId",
        "/phone",
        "/companyOwner/dateOfBirth",
        "/companyOwner/name",
        "/address/line1",
    ];
    Ok(rows
        .iter()
        .flat_map(|row| {
            fields
                .iter()
                .filter_map(|field| Some(row.pointer(field)?.as_str()?.to_owned()))
        })
        .collect())
}

async fn contents(cloud: &LocalCloud) -> Result<BTreeMap<&'static str, Vec<Value>>> {
    let mut contents = BTreeMap::new();
    for table in [
        "OrganizationsTable",
        "TransitionsTable",
        "NoticesTable",
        "ContactsTable",
    ] {
        let mut items = cloud.scan(table).await?;
        items.sort_by_key(ToString::to_string);
        contents.insert(table, items);
    }
    Ok(contents)
}

#[tokio::test(flavor = "multi_thread")]
async fn sample_events_are_handled_by_the_deployed_functions() -> Result<()> {
    let cloud = LocalCloud::start(Options {
        organizations: 5,
        ..options()
    })
    .await?;
    let one = succeed(
        &cloud,
        "SyncOrganizationFunction",
        &crate::support::event("sync-organization.json")?,
    )
    .await?;
    ensure!(one == json!({"batchItemFailures": []}), "{one}");
    let mixed = succeed(
        &cloud,
        "SyncOrganizationFunction",
        &crate::support::event("sync-organization-mixed.json")?,
    )
    .await?;
    ensure!(mixed == json!({"batchItemFailures": []}), "{mixed}");
    let stages: BTreeMap<_, _> = organizations(&cloud)
        .await?
        .into_iter()
        .map(|(id, item)| (id, item["stage"].clone()))
        .collect();
    ensure!(
        stages.len() == 2 && stages.values().all(|stage| stage == "closed"),
        "{stages:?}"
    );
    ensure!(
        cloud.dead_letters().await?.len() == 1,
        "the poison record is not among the dead letters"
    );
    let fan_out = succeed(
        &cloud,
        "FanOutFunction",
        &crate::support::event("fan-out.json")?,
    )
    .await?;
    ensure!(
        fan_out["outcome"] == "completed" && fan_out["organizations"] == 5,
        "{fan_out}"
    );
    cloud
        .wait_until_drained(std::time::Duration::from_mins(2), |_| {})
        .await?;
    let all = succeed(
        &cloud,
        "FanOutFunction",
        &crate::support::event("fan-out-all.json")?,
    )
    .await?;
    ensure!(all["queued"] == 5, "{all}");
    let notify = succeed(
        &cloud,
        "NotifyFunction",
        &crate::support::event("notify.json")?,
    )
    .await?;
    ensure!(notify["outcome"] == "completed", "{notify}");
    let feedback = succeed(
        &cloud,
        "RecordFeedbackFunction",
        &crate::support::event("record-feedback.json")?,
    )
    .await?;
    ensure!(feedback == json!({"batchItemFailures": []}), "{feedback}");
    let letters = cloud.messages("FeedbackDeadLetterQueueUrl").await?;
    ensure!(
        letters.len() == 1
            && letters[0]
                .body
                .contains("22222222-2222-4222-8222-222222222222"),
        "{letters:?}"
    );
    for event in ["preferences-get.json", "preferences-one-click.json"] {
        let page = succeed(
            &cloud,
            "PreferencesFunction",
            &crate::support::event(event)?,
        )
        .await?;
        ensure!(
            page["statusCode"] == 404,
            "a token that nobody made was not refused: {page}"
        );
    }
    let logs = logs(&cloud).await?;
    for function in [
        "fan-out",
        "sync-organization",
        "notify",
        "record-feedback",
        "preferences",
    ] {
        let is_metrics = |line: &String| {
            line.contains("\"_aws\"") && line.contains(&format!("\"function\":\"{function}\""))
        };
        ensure!(logs.iter().any(is_metrics), "{function} counted nothing");
    }
    Ok(())
}
