//! Makes all organizations due, so that the next sweeps sync each of them again.

use engagement::{OrganizationId, check_bucket};
use errors::ErrorType;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::{
    item::{id_of, key},
    table::Organizations,
};
use crate::{
    dynamodb::{
        attribute::{
            Item, NOT_NEWER, attribute_names, number, text_of, timestamp, timestamp_of,
            truncate_to_seconds,
        },
        update::{ConditionalUpdate, UpdateOutcome},
    },
    error::StoreError,
    schema::SCHEMA_VERSION,
};

const MAX_CONCURRENT_UPDATES: usize = 32;

const IS_DUE_LATER: &str = "#next_check_at > :at";

/// Progress of [`Organizations::make_due`], also its result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MakeDueProgress {
    /// Organizations read from the table.
    pub organizations: u64,
    /// Those of them that were made due. The others were due already, or were synced meanwhile.
    pub made_due: u64,
    /// Ids of those whose item cannot be read. Their items are unchanged.
    pub unreadable: Vec<String>,
}

/// One page of the table that was made due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MakeDuePage {
    /// What was done on the page.
    pub progress: MakeDueProgress,
    /// The organization after which the next page starts. `None`: this was the last page.
    pub next: Option<OrganizationId>,
}

impl MakeDueProgress {
    fn add(&mut self, page: Self) {
        self.organizations += page.organizations;
        self.made_due += page.made_due;
        self.unreadable.extend(page.unreadable);
    }
}

impl Organizations {
    /// Makes each organization due at `at` that would be due later and has not been synced since
    /// `at`. Calls `on_progress` after each page of the table.
    ///
    /// Safe to repeat, and to run concurrently with itself and with syncs: an organization that was
    /// synced or made due meanwhile is not changed. After an `Err`, or when the process stops, the
    /// organizations that were made due stay due, and a repetition completes the rest.
    ///
    /// Items that a newer release wrote are left as they are.
    ///
    /// A sync that is in progress when its organization is made due is not written, and the
    /// organization stays due.
    pub async fn make_due(
        &self,
        at: Timestamp,
        mut on_progress: impl FnMut(&MakeDueProgress),
    ) -> Result<MakeDueProgress, StoreError> {
        let mut progress = MakeDueProgress::default();
        let mut after = None;
        loop {
            let page = self.make_page_due(at, after.as_ref()).await?;
            progress.add(page.progress);
            on_progress(&progress);

            after = page.next;
            if after.is_none() {
                return Ok(progress);
            }
        }
    }

    /// Makes the organizations of one page of the table due, as [`Organizations::make_due`] does.
    pub async fn make_page_due(
        &self,
        at: Timestamp,
        after: Option<&OrganizationId>,
    ) -> Result<MakeDuePage, StoreError> {
        const ATTRIBUTES: &str = "#organization_id, #checked_at, #next_check_at";
        let page = self
            .client
            .scan()
            .table_name(&self.table)
            .projection_expression(ATTRIBUTES)
            .set_expression_attribute_names(Some(attribute_names(&[ATTRIBUTES])))
            .set_exclusive_start_key(after.map(key))
            .send()
            .await
            .map_err(|error| StoreError::from_sdk_error(&self.table, &error))?;

        let items = page.items.unwrap_or_default();
        let mut unreadable = Vec::new();
        let ids = not_yet_due(&items, at, &mut unreadable);
        Ok(MakeDuePage {
            progress: MakeDueProgress {
                organizations: items.len() as u64,
                made_due: self.make_each_due(ids, at).await?,
                unreadable,
            },
            next: page.last_evaluated_key.as_ref().and_then(id_of),
        })
    }

    async fn make_each_due(
        &self,
        ids: Vec<OrganizationId>,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        stream::iter(ids)
            .map(async |id| self.make_due_if(&id, at, IS_DUE_LATER).await)
            .buffer_unordered(MAX_CONCURRENT_UPDATES)
            .try_fold(0, async |made_due, is_made_due| {
                Ok(made_due + u64::from(is_made_due))
            })
            .await
    }

    /// Makes an organization due at `at` if it would be due later and has not been synced since
    /// `at`. One without an item gets an item that says no more than that.
    ///
    /// Safe to repeat. If the process stops before this write, the organization keeps its due time.
    pub async fn make_one_due(&self, id: &OrganizationId, at: Timestamp) -> Result<(), StoreError> {
        let condition = format!("(attribute_not_exists(#next_check_at) OR {IS_DUE_LATER})");
        self.make_due_if(id, at, &condition).await.map(drop)
    }

    /// Makes an organization due at `at` if `due_condition` holds.
    async fn make_due_if(
        &self,
        id: &OrganizationId,
        at: Timestamp,
        due_condition: &str,
    ) -> Result<bool, StoreError> {
        let condition = format!(
            "{due_condition} AND (attribute_not_exists(#checked_at) OR #checked_at < :at) \
             AND {NOT_NEWER}"
        );
        let update = ConditionalUpdate {
            table: &self.table,
            key: key(id),
            update: "SET #next_check_at = :at, #check_bucket = :check_bucket",
            condition: Some(&condition),
            values: vec![
                (":at", timestamp(at)),
                (":schema_version", number(SCHEMA_VERSION)),
                (":check_bucket", number(check_bucket(id))),
            ],
        };

        Ok(update.write(&self.client).await? == UpdateOutcome::Applied)
    }
}

/// The organizations of a page that would be due later than `at`. Adds the ids of unreadable items
/// to `unreadable`.
fn not_yet_due(items: &[Item], at: Timestamp, unreadable: &mut Vec<String>) -> Vec<OrganizationId> {
    let mut later = Vec::new();
    for item in items {
        if let Some((id, due_at)) = due_time(item) {
            later.extend((due_at > truncate_to_seconds(at)).then_some(id));
        } else {
            let organization_id = text_of(item, "organization_id").unwrap_or_default();
            tracing::warn!(
                organization_id,
                error_type = ErrorType::StoreUnreadable.name(),
                "an organization's next_check_at cannot be read"
            );
            unreadable.push(organization_id.to_owned());
        }
    }

    later
}

/// The organization of an item and the time of its next sync; `None` when the item cannot be read.
/// An organization that was never synced has no `checked_at`.
fn due_time(item: &Item) -> Option<(OrganizationId, Timestamp)> {
    if item.contains_key("checked_at") {
        timestamp_of(item, "checked_at")?;
    }

    Some((id_of(item)?, timestamp_of(item, "next_check_at")?))
}
