//! Reads the record of one organization.

use engagement::{Organization, OrganizationId};

use super::{
    item::{from_organization_item, key},
    table::Organizations,
};
use crate::{
    dynamodb::{
        attribute::{Item, is_newer},
        get_item::get_item,
    },
    error::StoreError,
};

/// What a sync finds about an organization in the table.
#[derive(Debug, Clone, PartialEq)]
pub enum StoredOrganization {
    /// No sync has succeeded yet: there is no item, or it contains only a sync failure.
    NeverSynced,
    /// The record of the last sync.
    Synced(Box<Organization>),
    /// A newer release wrote the item. It must not be changed.
    Newer,
}

impl Organizations {
    /// The record of an organization. `None` when there is no item, and when the item contains only
    /// a sync failure, because no sync has succeeded yet.
    ///
    /// The read is strongly consistent. Read-only: safe to repeat.
    pub async fn get(&self, id: &OrganizationId) -> Result<Option<Organization>, StoreError> {
        let item = get_item(&self.client, &self.table, key(id)).await?;

        self.record(id, item)
    }

    /// The record of an organization as [`Organizations::get`] reads it, unless a newer release
    /// wrote it.
    pub async fn get_for_sync(
        &self,
        id: &OrganizationId,
    ) -> Result<StoredOrganization, StoreError> {
        let item = get_item(&self.client, &self.table, key(id)).await?;
        if item.as_ref().is_some_and(is_newer) {
            return Ok(StoredOrganization::Newer);
        }

        let record = self.record(id, item)?.map(Box::new);
        Ok(record.map_or(StoredOrganization::NeverSynced, StoredOrganization::Synced))
    }

    fn record(
        &self,
        id: &OrganizationId,
        item: Option<Item>,
    ) -> Result<Option<Organization>, StoreError> {
        let Some(item) = item.filter(|item| item.contains_key("stage")) else {
            return Ok(None);
        };

        let organization = from_organization_item(item)
            .ok_or_else(|| StoreError::unreadable(&self.table, format!("organization_id {id}")))?;
        Ok(Some(organization))
    }
}
