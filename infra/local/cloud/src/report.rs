//! Summarizes a run and compares it with the stages that the sandbox expects.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::{cloud::LocalCloud, sent_emails::SentEmail};

/// The result of a run in numbers. Serialized, it is `target/demo/report.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Customers for which the sandbox expects a stage.
    pub organizations: usize,
    /// Customers in the organizations table.
    pub synced: usize,
    /// Customers by stage.
    pub stages: BTreeMap<String, usize>,
    /// Customers whose stage differs from the expected one, that are missing in the table or that
    /// the sandbox does not know.
    pub stage_mismatches: usize,
    /// Notices that sync-organization wrote, according to its metrics. `None`: metrics of an
    /// invocation are missing, because MiniStack stores an invocation's log without the lines that
    /// it reads more than a few milliseconds after the response.
    pub notices_written: Option<usize>,
    /// Notices in the notices table by status, then by reason (`none` without a reason).
    pub notices: BTreeMap<String, BTreeMap<String, usize>>,
    /// Notices whose status shows that SES accepted their e-mail, whether or not it was delivered.
    pub notices_accepted: usize,
    /// E-mails that SES accepted.
    pub emails_sent: usize,
    /// E-mails with the same recipient, subject and text as an earlier one.
    pub duplicate_emails: usize,
    /// E-mails whose message id is in no notice.
    pub emails_without_notice: usize,
    /// Messages in the sync queue's dead-letter queue.
    pub dead_letters: usize,
    /// Requests that the BILL sandbox received.
    pub bill_requests: u64,
    /// Requests to BILL per synced customer, rounded to two decimals.
    pub bill_requests_per_organization: f64,
    /// Duration of the run in seconds.
    pub seconds: f64,
    /// The customers counted in `stage_mismatches`.
    #[serde(skip)]
    pub mismatches: Vec<Mismatch>,
}

/// A customer whose stage differs from the one that the sandbox expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The organization id of the customer.
    pub organization_id: String,
    /// The sandbox's scenario that generated the customer.
    pub scenario: String,
    /// The expected stage. `None` when the sandbox does not know the customer.
    pub expected: Option<String>,
    /// The stage in the organizations table. `None` when the customer is not in the table.
    pub found: Option<String>,
}

impl Report {
    /// Reads tables, queues, e-mails, logs and the sandbox. `as_of` is the time in fan-out's event.
    /// `Err` means that one of them cannot be read.
    pub async fn collect(cloud: &LocalCloud, as_of: Timestamp, seconds: f64) -> Result<Self> {
        let found = stages_by_id(&cloud.scan("OrganizationsTable").await?)?;
        let expected = expected_stages(cloud, as_of);
        let emails = cloud.sent_emails().await?;
        let mut notices = cloud.scan("NoticesTable").await?;
        // Items without a status are dismissals of in-product messages.
        notices.retain(|item| !item["status"].is_null());
        let bill_requests = cloud.sandbox().statistics().requests;
        let mismatches = mismatches(&expected, &found);

        Ok(Self {
            organizations: expected.len(),
            synced: found.len(),
            stages: count_by_value(found.values().cloned()),
            stage_mismatches: mismatches.len(),
            notices_written: notices_planned(&cloud.logs("SyncOrganizationFunction").await?),
            notices: by_status_and_reason(&notices),
            notices_accepted: notices.iter().filter(|notice| is_accepted(notice)).count(),
            emails_sent: emails.len(),
            duplicate_emails: count_duplicates(&emails),
            emails_without_notice: count_without_notice(&emails, &notices),
            dead_letters: cloud.dead_letters().await?.len(),
            bill_requests,
            bill_requests_per_organization: requests_per_organization(bill_requests, found.len()),
            seconds,
            mismatches,
        })
    }

    /// Number of notices in the table, of any status.
    pub fn notices_in_table(&self) -> usize {
        self.notices.values().flat_map(BTreeMap::values).sum()
    }

    /// One sentence for each inconsistency; empty for a correct run.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.stage_mismatches > 0 {
            problems.push(format!(
                "{} customers are not in the stage that the sandbox expects",
                self.stage_mismatches
            ));
        }
        if self.dead_letters > 0 {
            problems.push(format!(
                "{} messages are in the dead-letter queue",
                self.dead_letters
            ));
        }
        if self.duplicate_emails > 0 {
            problems.push(format!("{} e-mails were sent twice", self.duplicate_emails));
        }
        if let Some(written) = self.notices_written
            && written != self.notices_in_table()
        {
            problems.push(format!(
                "{written} notices were written, but {} are in the table",
                self.notices_in_table()
            ));
        }
        if self.emails_sent != self.notices_accepted {
            problems.push(format!(
                "SES accepted {} e-mails, but {} notices have an accepted status",
                self.emails_sent, self.notices_accepted
            ));
        }
        if self.emails_without_notice > 0 {
            problems.push(format!(
                "{} e-mails have no notice",
                self.emails_without_notice
            ));
        }
        if self.emails_sent == 0 {
            problems.push("no e-mail was sent".to_owned());
        }

        problems
    }
}

struct ExpectedStage {
    stage: String,
    scenario: String,
}

fn expected_stages(cloud: &LocalCloud, as_of: Timestamp) -> BTreeMap<String, ExpectedStage> {
    cloud
        .sandbox()
        .expectations(as_of)
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

/// The stages of the organizations that were synced.
fn stages_by_id(items: &[Value]) -> Result<HashMap<String, String>> {
    items
        .iter()
        .filter(|item| item["stage"].is_string())
        .map(|item| {
            let id = item["organization_id"]
                .as_str()
                .context("an organization item has no organization_id")?;
            Ok((id.to_owned(), text_or_none(item, "stage")))
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

fn count_duplicates(emails: &[SentEmail]) -> usize {
    let distinct: HashSet<_> = emails
        .iter()
        .map(|email| (&email.to, &email.subject, &email.text))
        .collect();

    emails.len() - distinct.len()
}

/// Sum of the metric `notices_planned` in a function's log. `None` if the metrics of an invocation
/// are missing.
fn notices_planned(log: &[String]) -> Option<usize> {
    let metrics: Vec<Value> = log
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line.get("_aws").is_some())
        .collect();
    let sum = |metric: &str| -> u64 {
        metrics
            .iter()
            .filter_map(|line| line[metric].as_u64())
            .sum()
    };
    let invocations = log
        .iter()
        .filter(|line| line.starts_with("REPORT RequestId"))
        .count();

    if sum("invocations") < invocations as u64 {
        return None;
    }
    usize::try_from(sum("notices_planned")).ok()
}

fn by_status_and_reason(notices: &[Value]) -> BTreeMap<String, BTreeMap<String, usize>> {
    let mut counts = BTreeMap::<String, BTreeMap<String, usize>>::new();
    for notice in notices {
        *counts
            .entry(text_or_none(notice, "status"))
            .or_default()
            .entry(text_or_none(notice, "reason"))
            .or_default() += 1;
    }
    counts
}

/// Whether SES accepted the notice's e-mail, according to notify or to an SES event. This includes
/// e-mails that SES dropped after accepting them.
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

fn count_without_notice(emails: &[SentEmail], notices: &[Value]) -> usize {
    let known: HashSet<_> = notices
        .iter()
        .filter_map(|notice| notice["message_id"].as_str())
        .collect();

    emails
        .iter()
        .filter(|email| !known.contains(email.message_id.as_str()))
        .count()
}

fn count_by_value(values: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts
}

fn text_or_none(item: &Value, attribute: &str) -> String {
    item[attribute].as_str().unwrap_or("none").to_owned()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a displayed ratio does not need full precision"
)]
fn requests_per_organization(requests: u64, organizations: usize) -> f64 {
    if organizations == 0 {
        0.0
    } else {
        (requests as f64 / organizations as f64 * 100.0).round() / 100.0
    }
}

#[cfg(test)]
mod tests;
