//! The put of an organization's record, and the condition under which it is valid.

use aws_sdk_dynamodb::types::Put;
use engagement::Organization;

use super::item::to_organization_item;
use crate::{
    dynamodb::{
        attribute::{number, timestamp},
        put::{build_put, with_condition},
    },
    error::StoreError,
};

/// Puts the whole item of an organization, only if `previous` is still the record in the table:
/// same version and same due time, synced at an earlier time. `None`: only if there is no record.
pub fn put_over(
    table: &str,
    organization: &Organization,
    previous: Option<&Organization>,
) -> Result<Put, StoreError> {
    let put = Put::builder().set_item(Some(to_organization_item(table, organization)?));
    let put = match previous {
        None => with_condition(put, "attribute_not_exists(#version)"),
        Some(previous) => with_condition(
            put,
            "#version = :previous AND #next_check_at = :due AND #checked_at < :checked_at",
        )
        .expression_attribute_values(":previous", number(previous.version))
        .expression_attribute_values(":due", timestamp(previous.next_check_at))
        .expression_attribute_values(":checked_at", timestamp(organization.checked_at)),
    };

    build_put(table, put)
}
