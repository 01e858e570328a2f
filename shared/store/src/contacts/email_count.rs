//! Counts the e-mails to an address. The updates are parts of the transactions that claim and
//! settle a notice.

use aws_sdk_dynamodb::types::AttributeValue;
use engagement::{AddressHash, Contact, EventStamp};
use jiff::SignedDuration;

use super::item::key;
use crate::{
    dynamodb::{attribute::number, update::ConditionalUpdate},
    schema::SCHEMA_VERSION,
};

/// Counts one more e-mail to an address, only if the contact has not changed since `known` was
/// read (`None`: there was no item). E-mails older than `count_retention` are removed from the list
/// of recent e-mails.
pub fn count_email<'a>(
    table: &'a str,
    address: &AddressHash,
    known: Option<&Contact>,
    stamp: &EventStamp,
    count_retention: SignedDuration,
) -> ConditionalUpdate<'a> {
    let is_retained =
        |earlier: &&EventStamp| stamp.time().duration_since(earlier.time()) < count_retention;
    let earlier = known
        .into_iter()
        .flat_map(|contact| &contact.recent_mails)
        .filter(is_retained);
    let recent = earlier.chain([stamp]).map(ToString::to_string).collect();
    let mut values = vec![
        (":recent", AttributeValue::Ss(recent)),
        (":one", number(1)),
        (":schema_version", number(SCHEMA_VERSION)),
    ];

    let condition = match known
        .map(|contact| contact.version)
        .filter(|version| *version > 0)
    {
        Some(version) => {
            values.push((":version", number(version)));
            "#version = :version"
        }
        None => "attribute_not_exists(#version)",
    };

    ConditionalUpdate {
        table,
        key: key(address),
        update: "SET #recent_mails = :recent, #schema_version = :schema_version \
                 ADD #mails :one, #version :one",
        condition: Some(condition),
        values,
    }
}

/// Counts one e-mail less to an address: the e-mail of `stamp` was not sent. The update is
/// unconditional. Write it only in a transaction whose other conditions make sure that it is
/// written once.
pub fn uncount_email<'a>(
    table: &'a str,
    address: &AddressHash,
    stamp: &EventStamp,
) -> ConditionalUpdate<'a> {
    ConditionalUpdate {
        table,
        key: key(address),
        update: "ADD #mails :less, #version :one DELETE #recent_mails :stamp",
        condition: None,
        values: vec![
            (":less", number(-1)),
            (":one", number(1)),
            (":stamp", AttributeValue::Ss(vec![stamp.to_string()])),
        ],
    }
}
