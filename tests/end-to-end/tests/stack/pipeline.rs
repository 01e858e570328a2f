//! The main story: two concurrent sweeps, one e-mail per recipient, no change on repetition, and a
//! month later the next stage with its e-mails.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use content::Content;
use engagement::Stage;
use jiff::{SignedDuration, Timestamp};
use local_cloud::{LocalCloud, Options};
use sandbox::OrganizationPatch;
use serde_json::{Value, json};

use crate::{
    privacy::no_log_line_contains_personal_data_or_credentials,
    support::{assert_stages, notify, now, options, organizations, sweep, text_attribute},
};

#[tokio::test(flavor = "multi_thread")]
async fn organizations_get_their_stage_and_one_email_now_and_a_month_later() -> Result<()> {
    // Without caps, because a bookkeeper of two organizations gets e-mails for both on one day.
    let options = Options {
        organizations: 90,
        ..options()
    };
    let cloud = LocalCloud::start(options.parameter("SendCaps", "none")).await?;
    let today = now();
    let next_month = today + SignedDuration::from_hours(31 * 24);

    concurrent_sweeps_sync_each_organization_once(&cloud, today).await?;
    each_expected_recipient_gets_exactly_one_email(&cloud, today).await?;
    repeating_the_day_changes_nothing(&cloud, today).await?;
    a_month_later_active_organizations_are_dormant_and_notified(&cloud, next_month).await?;
    archived_organizations_are_closed_by_the_next_day(&cloud, next_month).await?;
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
    let organizations = organizations(cloud).await?;
    let written_twice: Vec<_> = organizations
        .iter()
        .filter(|(_, item)| item["version"] != json!(1))
        .collect();
    ensure!(
        written_twice.is_empty(),
        "written more than once: {written_twice:?}"
    );
    let transitions = cloud.scan("TransitionsTable").await?.len();
    ensure!(
        transitions == organizations.len(),
        "{transitions} transitions"
    );

    let mut statistics = cloud.sandbox().statistics();
    // Each organization is queued twice, so two syncs of one organization may overlap, and each
    // sends two requests concurrently. BILL accepts three.
    statistics.errors_by_code.remove("BDC_1322");
    let busiest = statistics.max_concurrent_by_organization.values().max();
    ensure!(
        busiest <= Some(&4),
        "{busiest:?} concurrent requests for one organization"
    );
    ensure!(
        statistics.errors_by_code.is_empty(),
        "BILL responded with errors: {:?} (at most {busiest:?} concurrent requests)",
        statistics.errors_by_code
    );
    Ok(())
}

async fn each_expected_recipient_gets_exactly_one_email(
    cloud: &LocalCloud,
    as_of: Timestamp,
) -> Result<()> {
    let response = notify(cloud, as_of).await?;
    ensure!(response["outcome"] == "completed", "{response}");

    let expected = expected_emails(cloud, as_of)?;
    ensure!(
        expected.values().sum::<usize>() > 10,
        "too few e-mails are expected for a meaningful test"
    );

    let mut received = BTreeMap::<String, usize>::new();
    for email in cloud.sent_emails().await? {
        ensure!(
            !email.html.contains("<script"),
            "a name became HTML: {}",
            email.subject
        );
        ensure!(
            !email.subject.contains(['\r', '\n']),
            "a subject has a line break"
        );
        *received.entry(email.to).or_default() += 1;
    }
    ensure!(
        received == expected,
        "expected {expected:?}\nreceived {received:?}"
    );
    Ok(())
}

/// The number of e-mails by address that are due as soon as the stages begin.
fn expected_emails(cloud: &LocalCloud, as_of: Timestamp) -> Result<BTreeMap<String, usize>> {
    let content = Content::embedded()?;
    let is_due_at_once = |stage: Stage| {
        content
            .rules()
            .campaigns
            .for_stage(stage)
            .is_some_and(|campaign| campaign.steps[0].after.is_zero())
    };

    let mut expected = BTreeMap::<String, usize>::new();
    for expectation in cloud.sandbox().expectations(as_of) {
        let Some(stage) = expectation.expected_stage else {
            continue;
        };
        if is_due_at_once(stage.parse()?) {
            for address in expectation.expected_recipients {
                *expected.entry(address).or_default() += 1;
            }
        }
    }
    Ok(expected)
}

async fn repeating_the_day_changes_nothing(cloud: &LocalCloud, as_of: Timestamp) -> Result<()> {
    let before = table_contents(cloud).await?;
    let emails = cloud.sent_emails().await?.len();
    cloud.sandbox().reset_statistics();

    let response = sweep(cloud, as_of).await?;
    notify(cloud, as_of).await?;

    ensure!(
        response["due"] == 0 && response["queued"] == 0,
        "{response}"
    );
    ensure!(table_contents(cloud).await? == before, "a table changed");
    ensure!(
        cloud.sent_emails().await?.len() == emails,
        "an e-mail was sent again"
    );

    let statistics = cloud.sandbox().statistics();
    ensure!(
        statistics.by_organization.is_empty(),
        "requests about organizations that were not due: {:?}",
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

async fn table_contents(cloud: &LocalCloud) -> Result<BTreeMap<&'static str, Vec<Value>>> {
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

async fn a_month_later_active_organizations_are_dormant_and_notified(
    cloud: &LocalCloud,
    as_of: Timestamp,
) -> Result<()> {
    let before = organizations(cloud).await?;
    let emails_before = cloud.sent_emails().await?.len();
    sweep(cloud, as_of).await?;
    assert_stages(cloud, as_of).await?;

    let newly_dormant: Vec<String> = organizations(cloud)
        .await?
        .into_iter()
        .filter(|(id, item)| {
            item["stage"] == "dormant_30"
                && before
                    .get(id)
                    .is_some_and(|before| before["stage"] == "active")
        })
        .map(|(id, _)| id)
        .collect();
    ensure!(
        !newly_dormant.is_empty(),
        "no active organization became dormant"
    );

    notify(cloud, as_of).await?;
    let notices = cloud.scan("NoticesTable").await?;
    assert_dormant_notices(cloud, as_of, &notices, &newly_dormant)?;
    assert_sent_emails(cloud, &notices, emails_before).await?;

    let unfinished = notices
        .iter()
        .filter(|notice| !matches!(notice["status"].as_str(), Some("sent" | "skipped")))
        .count();
    ensure!(
        unfinished == 0,
        "{unfinished} notices are neither sent nor skipped"
    );
    Ok(())
}

/// The daily listing finds them, and the sweep of that hour or the next one syncs them.
async fn archived_organizations_are_closed_by_the_next_day(
    cloud: &LocalCloud,
    as_of: Timestamp,
) -> Result<()> {
    let customers = organizations(cloud).await?.into_iter();
    let mut open = customers.filter(|(_, item)| item["stage"] != "closed");
    let (id, _) = open.next().context("every organization is closed")?;
    let archived = OrganizationPatch {
        archived: Some(true),
        ..OrganizationPatch::default()
    };
    ensure!(cloud.sandbox().patch_organization(&id, archived), "{id}");

    let next_day = as_of + SignedDuration::from_hours(24);
    for hour in 0..2 {
        sweep(cloud, next_day + SignedDuration::from_hours(hour)).await?;
    }

    let item = &organizations(cloud).await?[&id];
    ensure!(
        item["stage"] == "closed" && item["archived"] == true,
        "{item}"
    );
    Ok(())
}

/// Each newly dormant organization has one sent notice for each expected recipient.
fn assert_dormant_notices(
    cloud: &LocalCloud,
    as_of: Timestamp,
    notices: &[Value],
    newly_dormant: &[String],
) -> Result<()> {
    let recipients: BTreeMap<_, _> = cloud
        .sandbox()
        .expectations(as_of)
        .into_iter()
        .filter_map(|it| Some((it.organization_id?, it.expected_recipients)))
        .collect();

    for id in newly_dormant {
        let is_sent = |notice: &&Value| {
            notice["organization_id"] == json!(id)
                && notice["stage"] == "dormant_30"
                && notice["status"] == "sent"
        };
        let mut addresses = notices
            .iter()
            .filter(is_sent)
            .map(|notice| text_attribute(notice, "address"))
            .collect::<Result<Vec<_>>>()?;
        let mut expected = recipients
            .get(id)
            .cloned()
            .context("the sandbox does not have this organization")?;
        addresses.sort();
        expected.sort();
        ensure!(
            addresses == expected,
            "{id}: expected {expected:?}, sent to {addresses:?}"
        );
    }
    Ok(())
}

/// The sent e-mails are exactly those of the sent notices, and more than before.
async fn assert_sent_emails(
    cloud: &LocalCloud,
    notices: &[Value],
    emails_before: usize,
) -> Result<()> {
    let emails = cloud.sent_emails().await?;
    ensure!(emails.len() > emails_before, "no e-mail was sent");

    let mut expected: Vec<_> = notices
        .iter()
        .filter(|notice| notice["status"] == "sent")
        .map(|notice| text_attribute(notice, "message_id"))
        .collect::<Result<_>>()?;
    let mut message_ids: Vec<_> = emails.into_iter().map(|email| email.message_id).collect();
    expected.sort();
    message_ids.sort();
    ensure!(
        expected == message_ids,
        "the sent notices and the sent e-mails differ"
    );
    Ok(())
}
