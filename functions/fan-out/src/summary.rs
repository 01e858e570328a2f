//! The result of a run: the function's response, its metrics, and its record in the `runs` table.

use jiff::Timestamp;
use runtime::Metrics;
use serde::Serialize;
use store::RunRecord;

/// The result of a run, and the response of the function.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The id of the run, as in its messages.
    pub run_id: String,
    /// How the run ended.
    pub outcome: RunOutcome,
    /// Number of pages read.
    pub pages: u64,
    /// Number of organizations on these pages.
    pub organizations: u64,
    /// Number of organizations that were due.
    pub due: u64,
    /// Number of messages sent.
    pub queued: u64,
    /// Number of rows that were skipped because they have no valid id.
    pub skipped: u64,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RunOutcome {
    /// It read the whole list.
    #[default]
    Completed,
    /// The hour's budget of BILL requests was spent. The next run continues at the saved page.
    BudgetSpent,
    /// The deadline was near. The next run continues at the saved page.
    OutOfTime,
}

impl Summary {
    /// Adds the numbers of the run to the metrics of the invocation. `requests` is the number of
    /// BILL requests that the run made.
    pub(crate) fn emit_metrics(&self, requests: u32, metrics: &Metrics) {
        metrics.add("organizations_seen", self.organizations);
        metrics.add("organizations_due", self.due);
        metrics.add("organizations_queued", self.queued);
        metrics.add("organizations_skipped", self.skipped);
        metrics.add("bill_requests", u64::from(requests));

        let is_budget_spent = self.outcome == RunOutcome::BudgetSpent;
        metrics.add("budget_spent", u64::from(is_budget_spent));
    }

    /// The record of the run for the `runs` table.
    pub(crate) fn run_record(
        &self,
        as_of: Timestamp,
        started_at: Timestamp,
        finished_at: Timestamp,
    ) -> RunRecord {
        RunRecord {
            run: format!("fan-out#{as_of}"),
            run_id: self.run_id.clone(),
            started_at,
            finished_at,
            outcome: self.outcome.to_string(),
            pages: self.pages,
            organizations: self.organizations,
            due: self.due,
            queued: self.queued,
            skipped: self.skipped,
        }
    }
}
