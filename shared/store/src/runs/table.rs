//! The table itself: keys, lifetime, and read and put of items.

use aws_sdk_dynamodb::Client;

use crate::{
    dynamodb::{
        attribute::{Item, text},
        get_item::get_item,
    },
    error::StoreError,
};

/// Days after which DynamoDB's time to live deletes an item.
pub const RETENTION_DAYS: i64 = 90;

/// The `runs` table. Several types share it, each with items of its own.
#[derive(Debug, Clone)]
pub struct RunsTable {
    pub client: Client,
    pub name: String,
}

impl RunsTable {
    /// Reads an item (a strongly consistent read); `None` when it does not exist.
    pub async fn read(&self, run: &str) -> Result<Option<Item>, StoreError> {
        get_item(&self.client, &self.name, key(run)).await
    }

    /// Puts an item. Replaces an existing one.
    pub async fn put(&self, item: Item) -> Result<(), StoreError> {
        self.client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item))
            .send()
            .await
            .map(drop)
            .map_err(|error| StoreError::from_sdk_error(&self.name, &error))
    }
}

/// The key of an item.
pub fn key(run: &str) -> Item {
    [("run".to_owned(), text(run))].into()
}
