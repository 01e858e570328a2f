//! Compares organizations as BILL lists them with their items, and writes what changed.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use engagement::{ListedOrganization, Name, OrganizationId, Stage, StageReason, check_bucket};
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    item::{id_of, key, keys, was_archived},
    table::Organizations,
};
use crate::{
    dynamodb::{
        attribute::{
            Item, NOT_NEWER, from_item, is_newer, number, text, text_of, timestamp, timestamp_of,
        },
        batch_get::{ReadOptions, batch_get},
        update::ConditionalUpdate,
    },
    error::StoreError,
    schema::SCHEMA_VERSION,
};

/// What the table knows about an organization that BILL lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListedComparison {
    /// There is no item.
    Unknown,
    /// A newer release wrote the item. It must not be changed.
    Newer,
    /// There is an item.
    Known {
        /// The stage and its reason. `None`: never synced.
        stage: Option<(Stage, StageReason)>,
        /// What has to be written. `None`: nothing.
        change: Option<ListingChange>,
    },
}

/// What has to be written about an organization that BILL lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListingChange {
    /// Whether the organization has to become due: it was archived or restored, or the index does
    /// not hold it.
    pub makes_due: bool,
}

impl Organizations {
    /// Compares organizations with their items.
    ///
    /// The read is eventually consistent and may miss a write of the last second, which the next
    /// listing finds. Read-only: safe to repeat.
    pub async fn compare_listed(
        &self,
        listed: &[ListedOrganization],
        as_of: Timestamp,
    ) -> Result<Vec<ListedComparison>, StoreError> {
        let options = ReadOptions {
            attributes: Some(
                "#organization_id, #name, #archived, #stage, #stage_reason, #next_check_at, \
                 #check_bucket, #schema_version",
            ),
            consistent: false,
        };
        let keys = keys(listed.iter().map(|organization| organization.id.clone()));
        let items = batch_get(&self.client, &self.table, keys, options).await?;
        let items: HashMap<OrganizationId, Item> = items
            .into_iter()
            .filter_map(|item| Some((id_of(&item)?, item)))
            .collect();

        Ok(listed
            .iter()
            .map(|organization| compare(organization, items.get(&organization.id), as_of))
            .collect())
    }

    /// Writes the name and `archived` as BILL lists them, and makes the organization due at `as_of`
    /// if the change says so.
    ///
    /// A sync that is in progress is not written, because it read the row before. Safe to repeat.
    pub async fn apply_listing(
        &self,
        organization: &ListedOrganization,
        change: ListingChange,
        as_of: Timestamp,
    ) -> Result<(), StoreError> {
        let ListedOrganization {
            id, name, archived, ..
        } = organization;
        let mut set = vec!["#archived = :archived", "#check_bucket = :check_bucket"];
        let mut values = vec![
            (":archived", AttributeValue::Bool(*archived)),
            (":check_bucket", number(check_bucket(id))),
            (":schema_version", number(SCHEMA_VERSION)),
        ];
        if change.makes_due {
            set.push("#next_check_at = :as_of");
            values.push((":as_of", timestamp(as_of)));
        }
        if let Some(name) = name {
            set.push("#name = :name");
            values.push((":name", text(name.expose())));
        }
        let remove = if name.is_none() { " REMOVE #name" } else { "" };

        let update = format!("SET {}{remove}", set.join(", "));
        let condition = format!("attribute_exists(#organization_id) AND {NOT_NEWER}");
        let update = ConditionalUpdate {
            table: &self.table,
            key: key(id),
            update: &update,
            condition: Some(&condition),
            values,
        };

        update.write(&self.client).await.map(drop)
    }
}

fn compare(
    organization: &ListedOrganization,
    item: Option<&Item>,
    as_of: Timestamp,
) -> ListedComparison {
    let Some(item) = item else {
        return ListedComparison::Unknown;
    };
    if is_newer(item) {
        return ListedComparison::Newer;
    }

    let next_check_at = timestamp_of(item, "next_check_at");
    let is_indexed = item.contains_key("check_bucket") && next_check_at.is_some();
    let is_archived_changed = was_archived(item) != organization.archived;
    let is_due = next_check_at.is_some_and(|next_check_at| next_check_at <= as_of);
    let is_renamed = text_of(item, "name") != organization.name.as_ref().map(Name::expose);
    let makes_due = (is_archived_changed && !is_due) || next_check_at.is_none();

    ListedComparison::Known {
        stage: stage_of(item),
        change: (is_archived_changed || is_renamed || !is_indexed)
            .then_some(ListingChange { makes_due }),
    }
}

fn stage_of(item: &Item) -> Option<(Stage, StageReason)> {
    #[derive(Deserialize)]
    struct StageAttributes {
        stage: Stage,
        stage_reason: StageReason,
    }

    from_item(item.clone()).map(
        |StageAttributes {
             stage,
             stage_reason,
         }| (stage, stage_reason),
    )
}
