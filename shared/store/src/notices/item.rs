//! Keys and attributes of the items.

use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason};
use engagement::{NoticeStatus, OrganizationId};

use crate::dynamodb::attribute::{Item, text, text_of};

/// The key of an item. `sort_key` is a notice's key, or that of a dismissal.
pub fn key(organization_id: &OrganizationId, sort_key: &str) -> Item {
    [
        ("organization_id".to_owned(), text(organization_id)),
        ("notice".to_owned(), text(sort_key)),
    ]
    .into()
}

/// A status as an attribute.
pub fn status(status: NoticeStatus) -> AttributeValue {
    text(&status)
}

/// Whether the item has this status.
pub fn has_status(item: &Item, status: NoticeStatus) -> bool {
    text_of(item, "status") == Some(status.into())
}

/// The current item of the notice, which is the first item of the transaction whose conditions did
/// not hold; empty when there is none.
pub fn current_item(mut reasons: Vec<CancellationReason>) -> Item {
    reasons
        .first_mut()
        .and_then(|reason| reason.item.take())
        .unwrap_or_default()
}
