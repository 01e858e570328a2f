//! What a run came to, checked against what the sandbox expects.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::{cloud::LocalCloud, mails::SentEmail};

/// The state of the stack, in numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Customers of whom the sandbox expects a stage.
    pub organizations: usize,
    /// Customers in the organizations table.
    pub synced: usize,
    /// Customers by stage.
    pub stages: BTreeMap<String, usize>,
    /// Customers whose stage is not the expected one, or that are missing, or unknown to the
    /// sandbox.
    pub stage_mismatches: usize,
    /// Notices that sync-organization says it wrote.
    pub notices_written: usize,
    /// Notices in the notices table, by status and then by reason (`none` where there is none).
    pub notices: BTreeMap<String, BTreeMap<String, usize>>,
    /// Notices that say that SES took their mail, whatever became of it afterwards.
    pub notices_accepted: usize,
    /// E-mails that SES accepted.
    pub emails_sent: usize,
    /// E-mails that equal an earlier one to the same address.
    pub duplicate_emails: usize,
    /// E-mails that no notice knows of.
    pub emails_without_notice: usize,
    /// Messages in the sync queue's dead-letter queue.
    pub dead_letters: usize,
    /// Requests that BILL got.
    pub bill_requests: u64,
    /// The same for each synced customer.
    pub bill_requests_per_organization: f64,
    /// How long the run took.
    pub seconds: f64,
    /// What did not match.
    #[serde(skip)]
    pub mismatches: Vec<Mismatch>,
}

/// A customer that is not in the stage in which the sandbox expects it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The customer.
    pub organization_id: String,
    /// Which of the sandbox's cases it is.
    pub scenario: String,
    /// The expected stage; none when the sandbox does not know the customer.
    pub expected: Option<String>,
    /// The stage in the table; none when it is not there.
    pub found: Option<String>,
}

impl Report {
    /// Reads tables, queues, mails and the sandbox. `as_of` is the time that fan-out's event
    /// carried.
    pub async fn collect(cloud: &LocalCloud, as_of: Timestamp, seconds: f64) -> Result<Self> {
        let found = stages_by_id(&cloud.scan("OrganizationsTable").await?)?;
        let expected = expectations(cloud, as_of);
        let mails = cloud.sent_emails().await?;
        let mut notices = cloud.scan("NoticesTable").await?;
        notices.retain(|item| !item["status"].is_null()); // the others are dismissals of in-product messages
        let bill_requests = cloud.sandbox().statistics().requests;
        let mismatches = mismatches(&expected, &found);
        Ok(Self {
            organizations: expected.len(),
            synced: found.len(),
            stages: count(found.values().cloned()),
            stage_mismatches: mismatches.len(),
            notices_written: notices_planned(&cloud.logs("SyncOrganizationFunction").await?),
            notices: by_status_and_reason(&notices),
            notices_accepted: notices.iter().filter(|notice| is_accepted(notice)).count(),
            emails_sent: mails.len(),
            duplicate_emails: duplicates(&mails),
            emails_without_notice: count_without_notice(&mails, &notices),
            dead_letters: cloud.dead_letters().await?.len(),
            bill_requests,
            bill_requests_per_organization: requests_per_organization(bill_requests, found.len()),
            seconds,
            mismatches,
        })
    }

    /// Notices in the table, whatever their status.
    pub fn notices_in_table(&self) -> usize {
        self.notices.values().flat_map(BTreeMap::values).sum()
    }

    /// What went wrong, in plain words; nothing when all is as it should be.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        if self.stage_mismatches > 0 {
            complaints.push(format!(
                "{} customers are not in the stage that the sandbox expects",
                self.stage_mismatches
            ));
        }
        if self.dead_letters > 0 {
            complaints.push(format!(
                "{} messages ended in the dead-letter queue",
                self.dead_letters
            ));
        }
        if self.duplicate_emails > 0 {
            complaints.push(format!("{} e-mails were sent twice", self.duplicate_emails));
        }
        if self.notices_in_table() != self.notices_written {
            complaints.push(format!(
                "{} notices were written, and {} are in the table",
                self.notices_written,
                self.notices_in_table()
            ));
        }
        if self.emails_sent != self.notices_accepted {
            complaints.push(format!(
                "SES took {} e-mails, and {} notices say so",
                self.emails_sent, self.notices_accepted
            ));
        }
        if self.emails_without_notice > 0 {
            complaints.push(format!(
                "{} e-mails belong to no notice",
                self.emails_without_notice
            ));
        }
        if self.emails_sent == 0 {
            complaints.push("no e-mail was sent".to_owned());
        }
        complaints
    }
}

struct ExpectedStage {
    stage: String,
    scenario: String,
}

fn expectations(cloud: &LocalCloud, as_of: Timestamp) -> BTreeMap<String, ExpectedStage> {
    cloud
        .sandbox()
        .population(as_of)
        .into_iter()
        .filter_map(|expectation| {
            let expected = ExpectedStage {
                stage: expectation.expected_stage?,
                scenario: expectation.scenario,
            };
            Some((expectation.organization_id?, expected))
        })
        .collect()
}

fn stages_by_id(items: &[Value]) -> Result<HashMap<String, String>> {
    items
        .iter()
        .map(|item| {
            let id = item["organization_id"]
                .as_str()
                .context("an organization without an id")?;
            Ok((id.to_owned(), text(item, "stage")))
        })
        .collect()
}

fn mismatches(
    expected: &BTreeMap<String, ExpectedStage>,
    found: &HashMap<String, String>,
) -> Vec<Mismatch> {
    let wrong = expected.iter().filter_map(|(id, expected)| {
        let found = found.get(id);
        (found != Some(&expected.stage)).then(|| Mismatch {
            organization_id: id.clone(),
            scenario: expected.scenario.clone(),
            expected: Some(expected.stage.clone()),
            found: found.cloned(),
        })
    });
    let unknown = found
        .iter()
        .filter(|(id, _)| !expected.contains_key(*id))
        .map(|(id, stage)| Mismatch {
            organization_id: id.clone(),
            scenario: "unknown to the sandbox".to_owned(),
            expected: None,
            found: Some(stage.clone()),
        });
    wrong.chain(unknown).collect()
}

fn duplicates(mails: &[SentEmail]) -> usize {
    let distinct: HashSet<_> = mails
        .iter()
        .map(|mail| (&mail.to, &mail.subject, &mail.text))
        .collect();
    mails.len() - distinct.len()
}

/// What the metrics in these log lines add up to.
fn notices_planned(log: &[String]) -> usize {
    let metrics = log
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line.get("_aws").is_some());
    let planned: u64 = metrics
        .filter_map(|line| line["notices_planned"].as_u64())
        .sum();
    usize::try_from(planned).unwrap_or(usize::MAX)
}

fn by_status_and_reason(notices: &[Value]) -> BTreeMap<String, BTreeMap<String, usize>> {
    let mut counts = BTreeMap::<String, BTreeMap<String, usize>>::new();
    for notice in notices {
        *counts
            .entry(text(notice, "status"))
            .or_default()
            .entry(text(notice, "reason"))
            .or_default() += 1;
    }
    counts
}

/// SES took the mail: its notifier says so, or SES's own events do, also those of a mail that SES
/// dropped afterwards.
fn is_accepted(notice: &Value) -> bool {
    match notice["status"].as_str() {
        Some("sent" | "delivered" | "bounced" | "complained") => true,
        Some("failed") => matches!(
            notice["reason"].as_str(),
            Some("content_rejected" | "rendering_failure")
        ),
        _ => false,
    }
}

fn count_without_notice(mails: &[SentEmail], notices: &[Value]) -> usize {
    let known: HashSet<_> = notices
        .iter()
        .filter_map(|notice| notice["message_id"].as_str())
        .collect();
    mails
        .iter()
        .filter(|mail| !known.contains(mail.message_id.as_str()))
        .count()
}

fn count(values: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts
}

fn text(item: &Value, attribute: &str) -> String {
    item[attribute].as_str().unwrap_or("none").to_owned()
}

#[expect(clippy::cast_precision_loss, reason = "a ratio for people to read")]
fn requests_per_organization(requests: u64, organizations: usize) -> f64 {
    if organizations == 0 {
        0.0
    } else {
        (requests as f64 / organizations as f64 * 100.0).round() / 100.0
    }
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
