//! The cursor: the page at which the next fan-out continues.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    item::{RETENTION_DAYS, key},
    table::Runs,
};
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
pub struct Cursor {
    /// BILL's token of the page at which the next run continues.
    pub page: String,
    /// Id of the run that stopped there.
    pub run_id: String,
    /// Time at which the run stopped.
    pub saved_at: Timestamp,
}

impl Runs {
    /// The cursor of the last fan-out; `None` when it reached the end of the list. A cursor that
    /// cannot be read is logged and is `None`: a sweep from the first page finds every due
    /// organization.
    ///
    /// Read-only: safe to repeat.
    pub async fn cursor(&self) -> Result<Option<Cursor>, StoreError> {
        let item = self.read(CURSOR).await?;
        let Some(item) = item.filter(|item| item.contains_key("page")) else {
            return Ok(None);
        };

        let cursor = from_item(item);
        if cursor.is_none() {
            tracing::warn!(
                error_type = "store_unreadable",
                "the cursor cannot be read; starting from the first page"
            );
        }
        Ok(cursor)
    }

    /// Saves the cursor. The last writer wins.
    ///
    /// Safe to repeat. If the process stops before this write, the next run starts at another page
    /// and finds the same organizations due.
    pub async fn save_cursor(&self, cursor: &Cursor) -> Result<(), StoreError> {
        let record = Cursor {
            saved_at: truncate_to_seconds(cursor.saved_at),
            ..cursor.clone()
        };
        let mut item = to_item(&self.table, &record)?;
        item.insert("run".to_owned(), text(CURSOR));
        item.insert(
            "expires_at".to_owned(),
            expires_at(cursor.saved_at, RETENTION_DAYS),
        );

        self.put(item).await
    }

    /// Clears the cursor, so that the next fan-out starts at the first page.
    ///
    /// Safe to repeat. If the process stops before this write, the next run continues at the old
    /// page first.
    pub async fn clear_cursor(&self) -> Result<(), StoreError> {
        let update = ConditionalUpdate {
            table: &self.table,
            key: key(CURSOR),
            update: "REMOVE #page, #run_id, #saved_at",
            condition: None,
            values: Vec::new(),
        };

        update.write(&self.client).await.map(drop)
    }
}
