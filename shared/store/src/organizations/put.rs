//! The put of an organization's record, and the condition under which it is valid.

use aws_sdk_dynamodb::types::Put;
use engagement::Organization;

use super::{
    item::to_organization_item,
    read::{GUARDED_ATTRIBUTES, OrganizationRow},
};
use crate::{
    dynamodb::{
        attribute::{NOT_NEWER, number, timestamp},
        put::{build_put, with_condition},
    },
    error::StoreError,
    schema::SCHEMA_VERSION,
};

/// Puts the whole item of an organization, only if `previous` is still the item in the table: same
/// version, due time, name and `archived`, synced at an earlier time. `None`: only if there is no
/// item.
pub fn put_over(
    table: &str,
    organization: &Organization,
    previous: Option<&OrganizationRow>,
) -> Result<Put, StoreError> {
    let put = Put::builder().set_item(Some(to_organization_item(table, organization)?));
    let Some(previous) = previous else {
        let put = with_condition(put, "attribute_not_exists(#organization_id)");
        return build_put(table, put);
    };

    let mut conditions = vec![
        "(attribute_not_exists(#checked_at) OR #checked_at < :checked_at)".to_owned(),
        NOT_NEWER.to_owned(),
    ];
    for name in GUARDED_ATTRIBUTES {
        conditions.push(if previous.guarded.contains_key(name) {
            format!("#{name} = :{name}")
        } else {
            format!("attribute_not_exists(#{name})")
        });
    }
    let put = with_condition(put, &conditions.join(" AND "))
        .expression_attribute_values(":checked_at", timestamp(organization.checked_at))
        .expression_attribute_values(":schema_version", number(SCHEMA_VERSION));
    let put = previous.guarded.iter().fold(put, |put, (name, value)| {
        put.expression_attribute_values(format!(":{name}"), value.clone())
    });

    build_put(table, put)
}
