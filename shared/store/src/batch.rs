//! Many items read by their keys.

use aws_sdk_dynamodb::{Client, types::KeysAndAttributes};
use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    attribute::{Item, names},
    change::pauses,
    error::StoreError,
};

/// Keys that one `BatchGetItem` takes at most.
const MAX_KEYS_PER_CALL: usize = 100;

/// Calls under way at once.
const MAX_CONCURRENT_CALLS: usize = 8;

/// Which attributes to read, and whether an older state of the item will do.
#[derive(Clone, Copy)]
pub struct Projection<'a> {
    /// The attributes, as placeholders: `#stage, #stage_since`. `None`: all.
    pub attributes: Option<&'a str>,
    /// Whether every write that was answered before has to be seen.
    pub consistent: bool,
}

/// Reads some attributes of many items, 100 a call and some calls side by side. The keys have to be
/// distinct. Items that do not exist are left out.
pub async fn get(
    client: &Client,
    table: &str,
    keys: Vec<Item>,
    projection: Projection<'_>,
) -> Result<Vec<Item>, StoreError> {
    let chunks: Vec<Vec<Item>> = keys
        .chunks(MAX_KEYS_PER_CALL)
        .map(<[Item]>::to_vec)
        .collect();
    let calls = stream::iter(chunks)
        .map(|keys| get_chunk(client, table, keys, projection))
        .buffer_unordered(MAX_CONCURRENT_CALLS);
    calls.try_concat().await
}

/// Reads up to 100 items, asking again for what DynamoDB left unprocessed.
async fn get_chunk(
    client: &Client,
    table: &str,
    keys: Vec<Item>,
    projection: Projection<'_>,
) -> Result<Vec<Item>, StoreError> {
    let wanted = KeysAndAttributes::builder()
        .set_keys(Some(keys))
        .set_projection_expression(projection.attributes.map(str::to_owned))
        .set_expression_attribute_names(
            projection.attributes.map(|attributes| names(&[attributes])),
        )
        .consistent_read(projection.consistent)
        .build()
        .map_err(|_| StoreError::from_code(table, "request not built", None))?;
    let mut unprocessed = [(table.to_owned(), wanted)].into();
    let mut found = Vec::new();
    let mut pauses = pauses();
    loop {
        let sent = client
            .batch_get_item()
            .set_request_items(Some(unprocessed))
            .send()
            .await;
        let answer = sent.map_err(|error| StoreError::from_sdk_error(table, &error))?;
        found.extend(answer.responses.unwrap_or_default().into_values().flatten());
        unprocessed = answer.unprocessed_keys.unwrap_or_default();
        if unprocessed.is_empty() {
            return Ok(found);
        }
        let pause = pauses
            .next()
            .ok_or_else(|| StoreError::from_code(table, "ThrottlingError", None))?;
        tokio::time::sleep(pause).await;
    }
}
