//! Reads the item of one organization.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use engagement::{ListedOrganization, Name, Organization, OrganizationId};
use jiff::Timestamp;

use super::{
    item::{from_organization_item, id_of, key, keys, to_organization_item, was_archived},
    table::Organizations,
};
use crate::{
    dynamodb::{
        attribute::{Item, is_newer, text_of, timestamp_of},
        batch_get::{ReadOptions, batch_get},
        get_item::get_item,
    },
    error::StoreError,
};

/// The attributes that may change between the read and the write of a sync. The record of a sync is
/// written only over an item in which they are as they were read.
pub(super) const GUARDED_ATTRIBUTES: [&str; 4] = ["version", "next_check_at", "archived", "name"];

/// What a sync finds about an organization in the table.
#[derive(Debug, Clone, PartialEq)]
pub enum StoredOrganization {
    /// There is no item.
    Unknown,
    /// There is an item: of a sync, of a listing, or of a failed first sync.
    Known(Box<OrganizationRow>),
    /// A newer release wrote the item. It must not be changed.
    Newer,
}

/// The item of an organization, as a sync read it.
#[derive(Debug, Clone, PartialEq)]
pub struct OrganizationRow {
    /// The organization as it was last listed. `None`: it never was, because an event or a message
    /// of the last release came first and its sync failed.
    pub listing: Option<ListedOrganization>,
    /// When the organization was first listed.
    pub listed_at: Option<Timestamp>,
    /// When the organization is due. `None`: not readable, which counts as now.
    pub next_check_at: Option<Timestamp>,
    /// The record of the last sync. `None`: no sync has succeeded yet.
    pub record: Option<Organization>,
    /// The item's attributes that the write of the sync depends on.
    pub(super) guarded: Item,
}

impl Organizations {
    /// The record of an organization. `None` when there is no item, and when no sync has succeeded
    /// yet: the item contains only its listing or a sync failure.
    ///
    /// The read is strongly consistent. Read-only: safe to repeat.
    pub async fn get(&self, id: &OrganizationId) -> Result<Option<Organization>, StoreError> {
        let item = get_item(&self.client, &self.table, key(id)).await?;

        item.map_or(Ok(None), |item| self.record(id, item))
    }

    /// The item of an organization before a sync.
    ///
    /// The read is strongly consistent. Read-only: safe to repeat.
    pub async fn get_for_sync(
        &self,
        id: &OrganizationId,
    ) -> Result<StoredOrganization, StoreError> {
        let mut stored = self.get_all_for_sync([id.clone()]).await?;

        stored.remove(id).unwrap_or(Ok(StoredOrganization::Unknown))
    }

    /// The items of several organizations before their syncs. An organization without an item is
    /// left out. An inner `Err` concerns one item, which cannot be read.
    ///
    /// The read is strongly consistent. Read-only: safe to repeat.
    pub async fn get_all_for_sync(
        &self,
        ids: impl IntoIterator<Item = OrganizationId>,
    ) -> Result<HashMap<OrganizationId, Result<StoredOrganization, StoreError>>, StoreError> {
        let options = ReadOptions {
            attributes: None,
            consistent: true,
        };
        let items = batch_get(&self.client, &self.table, keys(ids), options).await?;
        let stored = items.into_iter().filter_map(|item| {
            let id = id_of(&item)?;
            let stored = self.stored(&id, item);
            Some((id, stored))
        });

        Ok(stored.collect())
    }

    fn stored(&self, id: &OrganizationId, item: Item) -> Result<StoredOrganization, StoreError> {
        if is_newer(&item) {
            return Ok(StoredOrganization::Newer);
        }

        let is_listed = item.contains_key("archived") || item.contains_key("stage");
        let listing = is_listed.then(|| ListedOrganization {
            id: id.clone(),
            name: text_of(&item, "name").map(Name::new),
            archived: was_archived(&item),
            created_at: timestamp_of(&item, "created_at"),
        });
        Ok(StoredOrganization::Known(Box::new(OrganizationRow {
            listing,
            listed_at: timestamp_of(&item, "listed_at"),
            next_check_at: timestamp_of(&item, "next_check_at"),
            guarded: guarded_attributes(&item),
            record: self.record(id, item)?,
        })))
    }

    fn record(&self, id: &OrganizationId, item: Item) -> Result<Option<Organization>, StoreError> {
        if !item.contains_key("stage") {
            return Ok(None);
        }

        let organization = from_organization_item(item)
            .ok_or_else(|| StoreError::unreadable(&self.table, format!("organization_id {id}")))?;
        Ok(Some(organization))
    }
}

impl OrganizationRow {
    /// The row of a record, as [`Organizations::get_for_sync`] reads it after the record was
    /// written. An `Err` is permanent: no item can hold the record.
    pub fn of_record(record: Organization) -> Result<Self, StoreError> {
        let item = to_organization_item("organizations", &record)?;

        Ok(Self {
            listing: Some(ListedOrganization {
                id: record.organization_id.clone(),
                name: record.name.clone(),
                archived: record.archived,
                created_at: record.created_at,
            }),
            listed_at: record.listed_at,
            next_check_at: Some(record.next_check_at),
            guarded: guarded_attributes(&item),
            record: Some(record),
        })
    }
}

impl OrganizationRow {
    /// The time of the last sync; `None` when none has succeeded yet.
    pub fn checked_at(&self) -> Option<Timestamp> {
        self.record.as_ref().map(|record| record.checked_at)
    }
}

fn guarded_attributes(item: &Item) -> Item {
    let attribute = |name: &str| -> Option<(String, AttributeValue)> {
        Some((name.to_owned(), item.get(name)?.clone()))
    };

    GUARDED_ATTRIBUTES
        .into_iter()
        .filter_map(attribute)
        .collect()
}
