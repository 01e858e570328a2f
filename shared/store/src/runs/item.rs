//! Key, lifetime, and read and put of the items.

use super::table::Runs;
use crate::{
    dynamodb::{
        attribute::{Item, text},
        get_item::get_item,
    },
    error::StoreError,
};

/// Days after which DynamoDB's time to live deletes an item.
pub const RETENTION_DAYS: i64 = 90;

/// The key of an item.
pub fn key(run: &str) -> Item {
    [("run".to_owned(), text(run))].into()
}

impl Runs {
    /// Reads an item (a strongly consistent read); `None` when it does not exist.
    pub(super) async fn read(&self, run: &str) -> Result<Option<Item>, StoreError> {
        get_item(&self.client, &self.table, key(run)).await
    }

    /// Puts an item. Replaces an existing one.
    pub(super) async fn put(&self, item: Item) -> Result<(), StoreError> {
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .send()
            .await
            .map(drop)
            .map_err(|error| StoreError::from_sdk_error(&self.table, &error))
    }
}
