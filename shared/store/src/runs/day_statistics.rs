//! The organizations of a day by stage and reason, so that nobody has to scan for a count.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::table::{RETENTION_DAYS, RunsTable};
use crate::{
    dynamodb::attribute::{expires_at, to_item, truncate_to_seconds},
    error::StoreError,
};

/// What a full listing counted. Key: `organizations#2026-11-25`, the day of its start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DayStatistics {
    /// Start of the listing.
    pub started_at: Timestamp,
    /// End of the listing.
    pub finished_at: Timestamp,
    /// Organizations by `{stage}#{reason}`; `not_synced` without a stage.
    pub counts: BTreeMap<String, u64>,
}

/// The statistics of each day.
#[derive(Debug, Clone)]
pub struct StatisticsLog {
    table: RunsTable,
}

impl StatisticsLog {
    /// The statistics in the table.
    pub(crate) fn new(table: RunsTable) -> Self {
        Self { table }
    }

    /// Puts the statistics of a day. Replaces those of an earlier listing of the same day.
    ///
    /// Safe to repeat.
    pub async fn record(&self, statistics: &DayStatistics) -> Result<(), StoreError> {
        let record = DayStatistics {
            started_at: truncate_to_seconds(statistics.started_at),
            finished_at: truncate_to_seconds(statistics.finished_at),
            counts: statistics.counts.clone(),
        };
        let mut item = to_item(&self.table.name, &record)?;
        let day = record.started_at.strftime("organizations#%Y-%m-%d");
        item.insert("run".to_owned(), crate::dynamodb::attribute::text(&day));
        item.insert(
            "expires_at".to_owned(),
            expires_at(record.finished_at, RETENTION_DAYS),
        );

        self.table.put(item).await
    }
}
