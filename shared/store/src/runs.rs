//! The `runs` table: what each fan-out did, where the last one stopped, and the hour's budget.

use aws_sdk_dynamodb::Client;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    attribute::{Item, expires_at, from_item, text, to_item, whole},
    change::Change,
    error::StoreError,
};

/// Days after which the items are deleted by DynamoDB's time to live.
pub(crate) const RETENTION_DAYS: i64 = 90;

const CURSOR: &str = "cursor";

/// The `runs` table.
#[derive(Debug, Clone)]
pub struct Runs {
    pub(crate) client: Client,
    pub(crate) table: String,
}

/// Where a fan-out stopped before the list of organizations ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// BILL's token of the page at which the next run goes on.
    pub page: String,
    /// The run that stopped there.
    pub run_id: String,
    /// When.
    pub saved_at: Timestamp,
}

/// What one run of fan-out did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunRecord {
    /// Key: `fan-out#{as_of}`.
    pub run: String,
    /// Id of the run, as in its messages and logs.
    pub run_id: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// How it ended.
    pub outcome: String,
    /// Pages of organizations read.
    pub pages: u64,
    /// Organizations seen.
    pub organizations: u64,
    /// Those of them that were due.
    pub due: u64,
    /// Messages sent.
    pub queued: u64,
    /// Rows passed over because they carry no usable id.
    pub skipped: u64,
}

impl Runs {
    /// The table of that name.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Where the last fan-out stopped; `None` when it went to the end. A cursor that cannot be read
    /// is logged and counts as none: a sweep from the first page finds everything that is due.
    ///
    /// Reads only: may be repeated at will.
    pub async fn cursor(&self) -> Result<Option<Cursor>, StoreError> {
        let Some(item) = self
            .read(CURSOR)
            .await?
            .filter(|item| item.contains_key("page"))
        else {
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

    /// Remembers where a fan-out stopped. The last writer wins.
    ///
    /// May be repeated. Lost, the next run begins elsewhere and finds the same organizations due.
    pub async fn save_cursor(&self, cursor: &Cursor) -> Result<(), StoreError> {
        let mut item = to_item(
            &self.table,
            &Cursor {
                saved_at: whole(cursor.saved_at),
                ..cursor.clone()
            },
        )?;
        item.insert("run".to_owned(), text(CURSOR));
        item.insert(
            "expires_at".to_owned(),
            expires_at(cursor.saved_at, RETENTION_DAYS),
        );
        self.put(item).await
    }

    /// The next fan-out begins with the first page.
    ///
    /// May be repeated. Lost, the next run goes on from the old page first.
    pub async fn clear_cursor(&self) -> Result<(), StoreError> {
        let change = Change {
            table: &self.table,
            key: key(CURSOR),
            update: "REMOVE #page, #run_id, #saved_at",
            condition: None,
            values: Vec::new(),
        };
        change.write(&self.client).await.map(drop)
    }

    /// Keeps what a run did. A run of the same `as_of` replaces it.
    ///
    /// May be repeated. Lost, only the report of the run is missing.
    pub async fn record(&self, run: &RunRecord) -> Result<(), StoreError> {
        let record = RunRecord {
            started_at: whole(run.started_at),
            finished_at: whole(run.finished_at),
            ..run.clone()
        };
        let mut item = to_item(&self.table, &record)?;
        item.insert(
            "expires_at".to_owned(),
            expires_at(run.finished_at, RETENTION_DAYS),
        );
        self.put(item).await
    }

    pub(crate) async fn read(&self, run: &str) -> Result<Option<Item>, StoreError> {
        let sent = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(run)))
            .consistent_read(true)
            .send()
            .await;
        Ok(sent
            .map_err(|error| StoreError::from_sdk_error(&self.table, &error))?
            .item)
    }

    async fn put(&self, item: Item) -> Result<(), StoreError> {
        let sent = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .send()
            .await;
        sent.map(drop)
            .map_err(|error| StoreError::from_sdk_error(&self.table, &error))
    }
}

pub(crate) fn key(run: &str) -> Item {
    [("run".to_owned(), text(run))].into()
}
