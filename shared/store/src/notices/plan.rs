//! The put of a planned notice.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use engagement::{AddressHashKey, Notice, PlannedNotice};

use crate::{
    dynamodb::{
        attribute::{Item, expires_at, to_item, truncate_to_seconds},
        put::{transact_put, with_condition},
    },
    error::StoreError,
};

/// Days after which DynamoDB's time to live deletes a notice.
const RETENTION_DAYS: i64 = 400;

/// Puts the item of a planned notice, only if the notice does not exist. `key` is the key of the
/// pseudonyms of addresses.
pub fn put_if_absent(
    table: &str,
    planned: &PlannedNotice,
    key: &AddressHashKey,
) -> Result<TransactWriteItem, StoreError> {
    let put = Put::builder().set_item(Some(notice_item(table, planned, key)?));

    transact_put(table, with_condition(put, "attribute_not_exists(#notice)"))
}

fn notice_item(
    table: &str,
    planned: &PlannedNotice,
    key: &AddressHashKey,
) -> Result<Item, StoreError> {
    let planned = PlannedNotice {
        stage_since: truncate_to_seconds(planned.stage_since),
        since: truncate_to_seconds(planned.since),
        planned_at: truncate_to_seconds(planned.planned_at),
        due_at: truncate_to_seconds(planned.due_at),
        ..planned.clone()
    };
    let expires_at = expires_at(planned.planned_at, RETENTION_DAYS);
    let mut item = to_item(table, &Notice::from_planned(planned, key))?;
    item.insert("expires_at".to_owned(), expires_at);

    Ok(item)
}
