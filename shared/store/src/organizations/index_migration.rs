//! Adds the items of the last release to the index `by-next-check`.

use engagement::{OrganizationId, check_bucket};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::{
    item::{id_of, key},
    table::Organizations,
};
use crate::{
    dynamodb::{
        attribute::{Item, attribute_names, is_newer, number, timestamp, timestamp_of},
        update::{ConditionalUpdate, UpdateOutcome},
    },
    error::StoreError,
};

const MAX_CONCURRENT_UPDATES: usize = 32;

/// One page of the migration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MigrationPage {
    /// Items that were added to the index.
    pub added: u64,
    /// The organization after which the next page starts. `None`: this was the last page.
    pub next: Option<OrganizationId>,
}

impl Organizations {
    /// Reads one page of the table and adds those of its items to the index that are not in it. An
    /// item without a readable time of its next sync is due at `as_of`.
    ///
    /// Safe to repeat and to run beside syncs: an item that is in the index is not changed. After
    /// an `Err`, or when the process stops, the page is to be read again.
    pub async fn migrate_page(
        &self,
        after: Option<&OrganizationId>,
        as_of: Timestamp,
    ) -> Result<MigrationPage, StoreError> {
        const ATTRIBUTES: &str = "#organization_id, #next_check_at, #schema_version";
        const FILTER: &str = "attribute_not_exists(#check_bucket)";
        let page = self
            .client
            .scan()
            .table_name(&self.table)
            .projection_expression(ATTRIBUTES)
            .filter_expression(FILTER)
            .set_expression_attribute_names(Some(attribute_names(&[ATTRIBUTES, FILTER])))
            .set_exclusive_start_key(after.map(key))
            .send()
            .await
            .map_err(|error| StoreError::from_sdk_error(&self.table, &error))?;

        let items = page.items.unwrap_or_default();
        let missing = items.iter().filter(|item| !is_newer(item));
        let added = stream::iter(missing.filter_map(|item| Some((id_of(item)?, item))))
            .map(|(id, item)| self.add_to_index(id, item, as_of))
            .buffer_unordered(MAX_CONCURRENT_UPDATES)
            .try_fold(0, async |added, is_added| Ok(added + u64::from(is_added)))
            .await?;

        Ok(MigrationPage {
            added,
            next: page.last_evaluated_key.as_ref().and_then(id_of),
        })
    }

    async fn add_to_index(
        &self,
        id: OrganizationId,
        item: &Item,
        as_of: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut values = vec![(":check_bucket", number(check_bucket(&id)))];
        let update = if timestamp_of(item, "next_check_at").is_some() {
            "SET #check_bucket = :check_bucket"
        } else {
            values.push((":as_of", timestamp(as_of)));
            "SET #check_bucket = :check_bucket, #next_check_at = :as_of"
        };
        let update = ConditionalUpdate {
            table: &self.table,
            key: key(&id),
            update,
            condition: Some(
                "attribute_exists(#organization_id) AND attribute_not_exists(#check_bucket)",
            ),
            values,
        };

        Ok(update.write(&self.client).await? == UpdateOutcome::Applied)
    }
}
