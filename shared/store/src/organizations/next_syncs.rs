//! When organizations are due for their next sync.

use std::collections::HashMap;

use engagement::{OrganizationId, StageReason};
use jiff::Timestamp;

use super::{
    item::{id_of, keys},
    table::Organizations,
};
use crate::{
    dynamodb::{
        attribute::{Item, text_of, timestamp_of},
        batch_get::{ReadOptions, batch_get},
    },
    error::StoreError,
};

/// When the next sync of an organization is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextSync {
    /// The earliest time of the sync.
    pub due_at: Timestamp,
    /// Whether the organization was archived at its last sync; `None` before the first sync and
    /// after a failed one.
    pub was_archived: Option<bool>,
}

impl NextSync {
    /// Whether a sync is due at `as_of`, for an organization whose current list entry says
    /// `archived`.
    pub fn is_due(&self, as_of: Timestamp, archived: bool) -> bool {
        self.due_at <= as_of
            || self
                .was_archived
                .is_some_and(|was_archived| was_archived != archived)
    }
}

impl Organizations {
    /// The next sync of each organization. Organizations without a readable time are left out: they
    /// are due.
    ///
    /// The read is eventually consistent and may miss a write of the last second. Then an
    /// organization is synced once more than necessary, or one that was just made due waits for the
    /// next sweep. Read-only: safe to repeat.
    pub async fn next_syncs(
        &self,
        ids: &[OrganizationId],
    ) -> Result<HashMap<OrganizationId, NextSync>, StoreError> {
        let options = ReadOptions {
            attributes: Some(
                "#organization_id, #next_check_at, #stage, #stage_reason, #sync_error",
            ),
            consistent: false,
        };
        let keys = keys(ids.iter().cloned());
        let items = batch_get(&self.client, &self.table, keys, options).await?;

        Ok(items
            .iter()
            .filter_map(|item| Some((id_of(item)?, next_sync(item)?)))
            .collect())
    }
}

fn next_sync(item: &Item) -> Option<NextSync> {
    let is_known = item.contains_key("stage") && !item.contains_key("sync_error");
    let was_archived = is_known
        .then(|| text_of(item, "stage_reason") == Some(<&str>::from(StageReason::Archived)));

    Some(NextSync {
        due_at: timestamp_of(item, "next_check_at")?,
        was_archived,
    })
}
