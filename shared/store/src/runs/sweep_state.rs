//! What one run of fan-out leaves to the next: how far the listings, the index migration and a
//! request for all organizations got.

use std::collections::BTreeMap;

use engagement::OrganizationId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::table::{RETENTION_DAYS, RunsTable};
use crate::{
    dynamodb::attribute::{Item, expires_at, from_item, is_newer, number, to_item},
    error::StoreError,
    schema::SCHEMA_VERSION,
};

/// Key of the item.
const CURSOR: &str = "cursor";

/// What one run of fan-out leaves to the next. Times are the `as_of` of runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepState {
    /// The time up to which new organizations are listed. `None`: not known yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed_to: Option<Timestamp>,
    /// The full listing that is not finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listing: Option<FullListing>,
    /// The start of the last full listing that was finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed_fully_at: Option<Timestamp>,
    /// The request to make every organization due that is not finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub make_due: Option<MakeDueRequest>,
    /// How far the index migration got.
    #[serde(default)]
    pub migration: Migration,
    /// Consecutive sweeps that ended because the hour's budget was spent.
    #[serde(default)]
    pub sweeps_without_budget: u64,
}

/// A full listing in progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FullListing {
    /// `as_of` of the run that started it.
    pub started_at: Timestamp,
    /// BILL's token of the page to read next. `None`: the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Organizations on the pages read so far, by `{stage}#{reason}`; `not_synced` without a stage.
    #[serde(default)]
    pub counts: BTreeMap<String, u64>,
}

/// A request to make every organization due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakeDueRequest {
    /// The time at which they are due.
    pub at: Timestamp,
    /// The organization after which the scan continues. `None`: at the start of the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<OrganizationId>,
}

/// How far the migration to the index `by-next-check` got. It is complete when a pass over the whole
/// table found nothing to add: a function of the last release may still write during the first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Migration {
    /// No pass was started.
    #[default]
    NotStarted,
    /// A pass is in progress.
    InProgress {
        /// The organization after which it continues.
        after: OrganizationId,
        /// Items that the pass added to the index.
        added: u64,
    },
    /// The index holds every organization.
    Complete,
}

/// The item that holds the state of the sweeps.
#[derive(Debug, Clone)]
pub struct SweepStates {
    table: RunsTable,
}

impl SweepStates {
    /// The state in the table.
    pub(crate) fn new(table: RunsTable) -> Self {
        Self { table }
    }

    /// The state that the last run left. A state that cannot be read, and that of a newer release,
    /// is logged and counts as absent: then listings and migration start again, which finds the
    /// same organizations. The item of the last release is a page token without further meaning.
    ///
    /// Read-only: safe to repeat.
    pub async fn load(&self) -> Result<SweepState, StoreError> {
        let Some(item) = self.table.read(CURSOR).await? else {
            return Ok(SweepState::default());
        };
        if is_newer(&item) {
            tracing::warn!("a newer release wrote the state of the sweeps; it is not used");
            return Ok(SweepState::default());
        }

        Ok(from_item(item).unwrap_or_else(|| {
            tracing::warn!(
                error_type = errors::ErrorType::StoreUnreadable.name(),
                "the state of the sweeps cannot be read; listings start again"
            );
            SweepState::default()
        }))
    }

    /// Saves what differs between `saved`, the state that was loaded or saved last, and `state`. So
    /// concurrent runs do not undo each other: the last writer of each attribute wins. `now` is the
    /// time from which the item lives 90 days. A state of a newer release is left as it is.
    ///
    /// Safe to repeat. If the process stops before this write, the next run repeats what this one
    /// did since the last save, which changes nothing more.
    pub async fn save(
        &self,
        saved: &SweepState,
        state: &SweepState,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let saved: Item = to_item(&self.table.name, saved)?;
        let mut changed: Item = to_item(&self.table.name, state)?;
        let removed: Vec<&str> = saved
            .keys()
            .filter(|name| !changed.contains_key(*name))
            .map(String::as_str)
            .collect();
        changed.retain(|name, value| saved.get(name) != Some(value));
        changed.insert("schema_version".to_owned(), number(SCHEMA_VERSION));
        changed.insert("expires_at".to_owned(), expires_at(now, RETENTION_DAYS));

        if !self.table.update(CURSOR, changed, &removed).await? {
            tracing::warn!("a newer release wrote the state of the sweeps; it is not changed");
        }
        Ok(())
    }
}
