//! Reads one item by its key.

use aws_sdk_dynamodb::Client;

use crate::{dynamodb::attribute::Item, error::StoreError};

/// Reads one item (a strongly consistent read); `None` when it does not exist.
pub async fn get_item(client: &Client, table: &str, key: Item) -> Result<Option<Item>, StoreError> {
    let output = client
        .get_item()
        .table_name(table)
        .set_key(Some(key))
        .consistent_read(true)
        .send()
        .await
        .map_err(|error| StoreError::from_sdk_error(table, &error))?;

    Ok(output.item)
}
