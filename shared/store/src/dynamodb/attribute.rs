//! Conversion between records and items, and between Rust values and attributes.
//!
//! Timestamps are ISO 8601 strings in UTC without fractions of a second. Keys, indexes and
//! conditions rely on their order as strings being their order in time: with fractions,
//! `06:00:00.5Z` would sort before `06:00:00Z`.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, de::DeserializeOwned};

use crate::{error::StoreError, schema::SCHEMA_VERSION};

/// An item, or the key of one.
pub type Item = HashMap<String, AttributeValue>;

/// The item of a record, with its `schema_version`. An `Err` is permanent: no item can hold the
/// record.
pub fn to_item(table: &str, record: &impl Serialize) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(record)
        .map_err(|_| StoreError::from_code(table, "record not serializable", None))?;
    item.insert("schema_version".to_owned(), number(SCHEMA_VERSION));

    Ok(item)
}

/// The record of an item; `None` when the item does not have the record's shape. The cause is
/// dropped because it may quote the item.
pub fn from_item<T: DeserializeOwned>(item: Item) -> Option<T> {
    serde_dynamo::from_item(item).ok()
}

/// A timestamp without its fraction of a second.
pub fn truncate_to_seconds(timestamp: Timestamp) -> Timestamp {
    Timestamp::from_second(timestamp.as_second()).unwrap_or(timestamp)
}

/// A timestamp, truncated to seconds, as an attribute.
pub fn timestamp(timestamp: Timestamp) -> AttributeValue {
    AttributeValue::S(truncate_to_seconds(timestamp).to_string())
}

/// A string attribute.
pub fn text(text: &(impl ToString + ?Sized)) -> AttributeValue {
    AttributeValue::S(text.to_string())
}

/// An integer as a number attribute.
pub fn number(number: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(number.into().to_string())
}

/// The attribute of DynamoDB's time to live: `days` after `start`, in seconds since 1970.
pub fn expires_at(start: Timestamp, days: i64) -> AttributeValue {
    let lifetime = SignedDuration::from_hours(days.saturating_mul(24));
    let expires_at = start.saturating_add(lifetime).unwrap_or(Timestamp::MAX);

    number(expires_at.as_second())
}

/// The condition that no newer release wrote the item. `:schema_version` is [`SCHEMA_VERSION`].
pub const NOT_NEWER: &str =
    "(attribute_not_exists(#schema_version) OR #schema_version <= :schema_version)";

/// Whether a newer release wrote the item: its `schema_version` is higher than this release's.
pub fn is_newer(item: &Item) -> bool {
    let version = item
        .get("schema_version")
        .and_then(|version| version.as_n().ok()?.parse::<u64>().ok());

    version.is_some_and(|version| version > u64::from(SCHEMA_VERSION))
}

/// The value of a string attribute; `None` when the item has no such string.
pub fn text_of<'a>(item: &'a Item, attribute: &str) -> Option<&'a str> {
    item.get(attribute)?.as_s().ok().map(String::as_str)
}

/// The value of a timestamp attribute; `None` when the item has no such timestamp.
pub fn timestamp_of(item: &Item, attribute: &str) -> Option<Timestamp> {
    text_of(item, attribute)?.parse().ok()
}

/// `ExpressionAttributeNames` for the `#placeholders` of expressions. Every attribute has a
/// placeholder, because many ordinary words (`name`, `status`, `day`, `version`) are reserved words
/// of DynamoDB.
pub fn attribute_names(expressions: &[&str]) -> HashMap<String, String> {
    let placeholders = expressions
        .iter()
        .flat_map(|expression| expression.split('#').skip(1));

    placeholders
        .map(|rest| {
            rest.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
                .next()
                .unwrap_or_default()
        })
        .map(|name| (format!("#{name}"), name.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_stored_in_seconds_so_that_strings_sort_by_time() {
        let timestamps = [
            "2026-11-23T05:59:59.999Z",
            "2026-11-23T06:00:00Z",
            "2026-11-23T06:00:00.5Z",
            "2026-11-23T06:00:01Z",
        ];

        let texts = timestamps.map(|text| timestamp(text.parse().unwrap()).as_s().unwrap().clone());

        assert_eq!(
            texts,
            [
                "2026-11-23T05:59:59Z",
                "2026-11-23T06:00:00Z",
                "2026-11-23T06:00:00Z",
                "2026-11-23T06:00:01Z"
            ]
        );
        assert!(texts.is_sorted());
    }

    #[test]
    fn placeholders_are_found_in_any_position() {
        let names = attribute_names(&[
            "SET #status = :claimed REMOVE #due_bucket,#reason",
            "attribute_not_exists(#status)",
        ]);

        let mut found: Vec<_> = names.into_iter().collect();
        found.sort();

        let expected = [
            ("#due_bucket", "due_bucket"),
            ("#reason", "reason"),
            ("#status", "status"),
        ];
        assert_eq!(
            found,
            expected.map(|(placeholder, name)| (placeholder.to_owned(), name.to_owned()))
        );
    }
}
