//! From records to items and back.
//!
//! Moments are ISO 8601 texts in UTC of whole seconds, so that their order as texts, which keys,
//! indexes and conditions rely on, is their order in time: with fractions `06:00:00.5Z` would sort
//! before `06:00:00Z`.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, de::DeserializeOwned};

use crate::{SCHEMA_VERSION, error::StoreError};

/// An item, or the key of one.
pub type Item = HashMap<String, AttributeValue>;

/// The item of a record, with its `schema_version`. An `Err` is a record that no item can hold:
/// give it up.
pub fn to_item(table: &str, record: &impl Serialize) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(record)
        .map_err(|_| StoreError::from_code(table, "record without an item", None))?;
    item.insert("schema_version".to_owned(), number(SCHEMA_VERSION));
    Ok(item)
}

/// The record of an item; `None` when the item does not have its shape. The reason is not told: it
/// may quote the item.
pub fn from_item<T: DeserializeOwned>(item: Item) -> Option<T> {
    serde_dynamo::from_item(item).ok()
}

/// The fraction of a second cut off.
pub fn whole(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

/// A moment as an attribute.
pub fn moment(moment: Timestamp) -> AttributeValue {
    AttributeValue::S(whole(moment).to_string())
}

/// A text as an attribute.
pub fn text(text: &(impl ToString + ?Sized)) -> AttributeValue {
    AttributeValue::S(text.to_string())
}

/// A whole number as an attribute.
pub fn number(number: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(number.into().to_string())
}

/// The moment of DynamoDB's time to live, in seconds since 1970, a number of days after `moment`.
pub fn expires_at(moment: Timestamp, days: i64) -> AttributeValue {
    let lifetime = SignedDuration::from_hours(days.saturating_mul(24));
    number(
        moment
            .saturating_add(lifetime)
            .unwrap_or(Timestamp::MAX)
            .as_second(),
    )
}

/// A text attribute of an item.
pub fn text_of<'a>(item: &'a Item, attribute: &str) -> Option<&'a str> {
    item.get(attribute)?.as_s().ok().map(String::as_str)
}

/// A moment of an item.
pub fn timestamp_of(item: &Item, attribute: &str) -> Option<Timestamp> {
    text_of(item, attribute)?.parse().ok()
}

/// The names behind the `#placeholders` of expressions: every attribute is written as one, because
/// so many of DynamoDB's reserved words are ordinary words (`name`, `status`, `day`, `version`).
pub fn names(expressions: &[&str]) -> HashMap<String, String> {
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
        let moments = [
            "2026-11-23T05:59:59.999Z",
            "2026-11-23T06:00:00Z",
            "2026-11-23T06:00:00.5Z",
            "2026-11-23T06:00:01Z",
        ];
        let texts = moments.map(|text| moment(text.parse().unwrap()).as_s().unwrap().clone());
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
        let names = names(&[
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
