//! Reads many items by their keys.

use aws_sdk_dynamodb::{Client, types::KeysAndAttributes};
use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    dynamodb::{
        attribute::{Item, attribute_names},
        backoff::backoff,
    },
    error::StoreError,
};

/// Maximum number of keys of one `BatchGetItem` call, a limit of DynamoDB.
const MAX_KEYS_PER_CALL: usize = 100;

const MAX_CONCURRENT_CALLS: usize = 8;

/// What to read of each item, and how.
#[derive(Clone, Copy)]
pub struct ReadOptions<'a> {
    /// The attributes as placeholders: `#stage, #stage_since`. `None`: all attributes.
    pub attributes: Option<&'a str>,
    /// Whether the read is strongly consistent.
    pub consistent: bool,
}

/// Reads many items in concurrent calls of up to 100 keys. The keys must be distinct. Items that do
/// not exist are left out of the result, which has no order.
pub async fn batch_get(
    client: &Client,
    table: &str,
    keys: Vec<Item>,
    options: ReadOptions<'_>,
) -> Result<Vec<Item>, StoreError> {
    let chunks: Vec<Vec<Item>> = keys
        .chunks(MAX_KEYS_PER_CALL)
        .map(<[Item]>::to_vec)
        .collect();

    stream::iter(chunks)
        .map(|keys| get_chunk(client, table, keys, options))
        .buffer_unordered(MAX_CONCURRENT_CALLS)
        .try_concat()
        .await
}

/// Reads up to 100 items. Requests the keys again that DynamoDB left unprocessed; an `Err` of
/// throttling when some of them stay unprocessed.
async fn get_chunk(
    client: &Client,
    table: &str,
    keys: Vec<Item>,
    options: ReadOptions<'_>,
) -> Result<Vec<Item>, StoreError> {
    let mut unprocessed = [(table.to_owned(), request(table, keys, options)?)].into();
    let mut found = Vec::new();
    let mut delays = backoff();

    loop {
        let output = client
            .batch_get_item()
            .set_request_items(Some(unprocessed))
            .send()
            .await
            .map_err(|error| StoreError::from_sdk_error(table, &error))?;

        found.extend(output.responses.unwrap_or_default().into_values().flatten());
        unprocessed = output.unprocessed_keys.unwrap_or_default();
        if unprocessed.is_empty() {
            return Ok(found);
        }

        let delay = delays
            .next()
            .ok_or_else(|| StoreError::from_code(table, "ThrottlingError", None))?;
        tokio::time::sleep(delay).await;
    }
}

fn request(
    table: &str,
    keys: Vec<Item>,
    options: ReadOptions<'_>,
) -> Result<KeysAndAttributes, StoreError> {
    KeysAndAttributes::builder()
        .set_keys(Some(keys))
        .set_projection_expression(options.attributes.map(str::to_owned))
        .set_expression_attribute_names(
            options
                .attributes
                .map(|attributes| attribute_names(&[attributes])),
        )
        .consistent_read(options.consistent)
        .build()
        .map_err(|_| StoreError::request_not_built(table))
}
