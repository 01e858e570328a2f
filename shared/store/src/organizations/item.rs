//! Keys of the items, and the conversion between item and record.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use engagement::{Organization, OrganizationId, StageReason, check_bucket};

use crate::{
    dynamodb::attribute::{Item, from_item, number, text, text_of, to_item, truncate_to_seconds},
    error::StoreError,
};

/// The key of an organization's item.
pub fn key(id: &OrganizationId) -> Item {
    [("organization_id".to_owned(), text(id))].into()
}

/// The keys of organizations, each once: DynamoDB refuses a batch with the same key twice.
pub fn keys(ids: impl IntoIterator<Item = OrganizationId>) -> Vec<Item> {
    ids.into_iter()
        .collect::<BTreeSet<_>>()
        .iter()
        .map(key)
        .collect()
}

/// The organization's id; `None` when the item has no valid one.
pub fn id_of(item: &Item) -> Option<OrganizationId> {
    text_of(item, "organization_id")?.parse().ok()
}

/// Whether the organization was archived when it was last listed or, in an item of the last
/// release, at its last sync.
pub fn was_archived(item: &Item) -> bool {
    match item.get("archived") {
        Some(AttributeValue::Bool(archived)) => *archived,
        _ => text_of(item, "stage_reason") == Some(<&str>::from(StageReason::Archived)),
    }
}

/// The item of a record. Its amount is a number, so that queries can compare it.
pub fn to_organization_item(table: &str, organization: &Organization) -> Result<Item, StoreError> {
    let mut item = to_item(table, &with_times_in_seconds(organization.clone()))?;
    if let Some(AttributeValue::S(amount)) = item.remove("amount_30d") {
        item.insert("amount_30d".to_owned(), AttributeValue::N(amount));
    }
    let bucket = number(check_bucket(&organization.organization_id));
    item.insert("check_bucket".to_owned(), bucket);

    Ok(item)
}

/// The record of an item; `None` when the item does not have the record's shape.
pub fn from_organization_item(mut item: Item) -> Option<Organization> {
    if let Some(AttributeValue::N(amount)) = item.remove("amount_30d") {
        item.insert("amount_30d".to_owned(), AttributeValue::S(amount));
    }
    let archived = was_archived(&item);
    item.insert("archived".to_owned(), AttributeValue::Bool(archived));

    from_item(item)
}

fn with_times_in_seconds(mut organization: Organization) -> Organization {
    organization.stage_since = truncate_to_seconds(organization.stage_since);
    organization.checked_at = truncate_to_seconds(organization.checked_at);
    organization.next_check_at = truncate_to_seconds(organization.next_check_at);
    for time in [
        &mut organization.created_at,
        &mut organization.last_payment_at,
        &mut organization.users_read_at,
        &mut organization.banks_read_at,
        &mut organization.loss_seen_at,
    ] {
        *time = time.map(truncate_to_seconds);
    }
    for step in organization.steps.values_mut() {
        step.at = truncate_to_seconds(step.at);
    }

    organization
}
