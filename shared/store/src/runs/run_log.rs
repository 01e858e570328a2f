//! The records of fan-out runs, for operators.

use jiff::Timestamp;
use serde::Serialize;

use super::table::{RETENTION_DAYS, RunsTable};
use crate::{
    dynamodb::attribute::{expires_at, to_item, truncate_to_seconds},
    error::StoreError,
};

/// The result of one run of fan-out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunRecord {
    /// Key: `fan-out#{as_of}`.
    pub run: String,
    /// Id of the run, also in its messages and logs.
    pub run_id: String,
    /// Start of the run.
    pub started_at: Timestamp,
    /// End of the run.
    pub finished_at: Timestamp,
    /// Name of the outcome.
    pub outcome: String,
    /// Pages of organizations that were read.
    pub pages: u64,
    /// Organizations on these pages.
    pub organizations: u64,
    /// Organizations that were due.
    pub due: u64,
    /// Messages that were sent to the queue.
    pub queued: u64,
    /// Rows that were skipped because they have no valid id.
    pub skipped: u64,
}

/// The records of fan-out runs.
#[derive(Debug, Clone)]
pub struct RunLog {
    table: RunsTable,
}

impl RunLog {
    /// The records in the table.
    pub(crate) fn new(table: RunsTable) -> Self {
        Self { table }
    }

    /// Puts the record of a run. Replaces the record of an earlier run with the same `as_of`.
    ///
    /// Safe to repeat. If the process stops before this write, only the record is missing.
    pub async fn record(&self, run: &RunRecord) -> Result<(), StoreError> {
        let record = RunRecord {
            started_at: truncate_to_seconds(run.started_at),
            finished_at: truncate_to_seconds(run.finished_at),
            ..run.clone()
        };
        let mut item = to_item(&self.table.name, &record)?;
        item.insert(
            "expires_at".to_owned(),
            expires_at(run.finished_at, RETENTION_DAYS),
        );

        self.table.put(item).await
    }
}
