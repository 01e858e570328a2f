//! Reads the record of one organization.

use engagement::{Organization, OrganizationId};

use super::{
    item::{from_organization_item, key},
    table::Organizations,
};
use crate::{dynamodb::get_item::get_item, error::StoreError};

impl Organizations {
    /// The record of an organization. `None` when there is no item, and when the item contains only
    /// a sync failure, because no sync has succeeded yet.
    ///
    /// The read is strongly consistent. Read-only: safe to repeat.
    pub async fn get(&self, id: &OrganizationId) -> Result<Option<Organization>, StoreError> {
        let item = get_item(&self.client, &self.table, key(id)).await?;
        let Some(item) = item.filter(|item| item.contains_key("stage")) else {
            return Ok(None);
        };

        let organization = from_organization_item(item)
            .ok_or_else(|| StoreError::unreadable(&self.table, format!("organization_id {id}")))?;
        Ok(Some(organization))
    }
}
