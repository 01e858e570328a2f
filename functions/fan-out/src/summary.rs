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
    /// How the sweep of the organizations that are due ended.
    pub outcome: RunOutcome,
    /// How far the daily listing got. `None`: none was due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listing: Option<ListingOutcome>,
    /// Number of pages read.
    pub pages: u64,
    /// Number of organizations on these pages.
    pub organizations: u64,
    /// Those of them that are new: their rows were put, and they are due.
    pub new: u64,
    /// Those of them whose name or `archived` changed.
    pub changed: u64,
    /// Number of organizations that were made due because the event said `all`.
    pub made_due: u64,
    /// Number of organizations that were due.
    pub due: u64,
    /// Number of messages sent.
    pub queued: u64,
    /// Number of rows that were skipped because they have no valid id.
    pub skipped: u64,
    /// Number of items that a newer release wrote. They are left as they are.
    pub newer: u64,
}

/// How the sweep ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RunOutcome {
    /// Every organization that is due was queued.
    #[default]
    Completed,
    /// The hour's budget of BILL requests does not cover all. The others stay due.
    BudgetSpent,
    /// The deadline was near. The next run continues.
    OutOfTime,
}

/// How far the daily listing got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ListingOutcome {
    /// It reached the end of the list.
    Completed,
    /// The next run continues it.
    Continues,
}

impl Summary {
    /// Counts a page of the list.
    pub(crate) fn count_page(&mut self, organizations: usize, skipped: u64) {
        self.pages += 1;
        self.organizations += organizations as u64;
        self.skipped += skipped;
    }

    /// Adds the numbers of the run to the metrics of the invocation. `requests` is the number of
    /// BILL requests that the run made.
    pub(crate) fn emit_metrics(
        &self,
        requests: u64,
        sweeps_without_budget: u64,
        metrics: &Metrics,
    ) {
        metrics.add("organizations_seen", self.organizations);
        metrics.add("organizations_new", self.new);
        metrics.add("organizations_due", self.due);
        metrics.add("organizations_queued", self.queued);
        metrics.add("organizations_skipped", self.skipped);
        metrics.add("items_newer", self.newer);
        metrics.add("bill_requests", requests);

        let is_budget_spent = self.outcome == RunOutcome::BudgetSpent;
        metrics.add("budget_spent", u64::from(is_budget_spent));
        metrics.add("sweeps_without_budget", sweeps_without_budget);
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
