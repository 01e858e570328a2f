//! The page at which the next sweep continues.

use errors::ErrorType;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::table::{RETENTION_DAYS, RunsTable, key};
use crate::{
    dynamodb::{
        attribute::{expires_at, from_item, text, to_item, truncate_to_seconds},
        update::ConditionalUpdate,
    },
    error::StoreError,
};

/// Key of the item.
const CURSOR: &str = "cursor";

/// The position of a fan-out that stopped before the end of the list of organizations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepPosition {
    /// BILL's token of the page at which the next run continues.
    pub page: String,
    /// Id of the run that stopped there.
    pub run_id: String,
    /// Time at which the run stopped.
    pub saved_at: Timestamp,
}

/// The item that holds the position of the last sweep.
#[derive(Debug, Clone)]
pub struct SweepCursor {
    table: RunsTable,
}

impl SweepCursor {
    /// The cursor in the table.
    pub(crate) fn new(table: RunsTable) -> Self {
        Self { table }
    }

    /// The position of the last sweep; `None` when it reached the end of the list. A cursor that
    /// cannot be read is logged and is `None`: a sweep from the first page finds every due
    /// organization.
    ///
    /// Read-only: safe to repeat.
    pub async fn load(&self) -> Result<Option<SweepPosition>, StoreError> {
        let item = self.table.read(CURSOR).await?;
        let Some(item) = item.filter(|item| item.contains_key("page")) else {
            return Ok(None);
        };

        let position = from_item(item);
        if position.is_none() {
            tracing::warn!(
                error_type = ErrorType::StoreUnreadable.name(),
                "the cursor cannot be read; starting from the first page"
            );
        }
        Ok(position)
    }

    /// Saves a position. The last writer wins.
    ///
    /// Safe to repeat. If the process stops before this write, the next run starts at another page
    /// and finds the same organizations due.
    pub async fn save(&self, position: &SweepPosition) -> Result<(), StoreError> {
        let record = SweepPosition {
            saved_at: truncate_to_seconds(position.saved_at),
            ..position.clone()
        };
        let mut item = to_item(&self.table.name, &record)?;
        item.insert("run".to_owned(), text(CURSOR));
        item.insert(
            "expires_at".to_owned(),
            expires_at(position.saved_at, RETENTION_DAYS),
        );

        self.table.put(item).await
    }

    /// Clears the cursor, so that the next sweep starts at the first page.
    ///
    /// Safe to repeat. If the process stops before this write, the next run continues at the old
    /// page first.
    pub async fn clear(&self) -> Result<(), StoreError> {
        let update = ConditionalUpdate {
            table: &self.table.name,
            key: key(CURSOR),
            update: "REMOVE #page, #run_id, #saved_at",
            condition: None,
            values: Vec::new(),
        };

        update.write(&self.table.client).await.map(drop)
    }
}
