//! The put of a transition.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use engagement::Transition;

use crate::{
    dynamodb::{
        attribute::{expires_at, text, to_item, truncate_to_seconds},
        put::transact_put,
    },
    error::StoreError,
};

/// Days after which DynamoDB's time to live deletes a transition.
const RETENTION_DAYS: i64 = 400;

/// Puts the item of a transition.
pub fn put(table: &str, transition: &Transition) -> Result<TransactWriteItem, StoreError> {
    let at = truncate_to_seconds(transition.at);
    let transition = Transition {
        at,
        ..transition.clone()
    };
    let mut item = to_item(table, &transition)?;
    item.insert("day".to_owned(), text(&at.strftime("%Y-%m-%d")));
    item.insert("expires_at".to_owned(), expires_at(at, RETENTION_DAYS));

    transact_put(table, Put::builder().set_item(Some(item)))
}
