//! Reads which organizations are due, the longest overdue first.

use std::collections::VecDeque;

use engagement::{CHECK_BUCKETS, OrganizationId};
use errors::ErrorType;
use futures::future::try_join_all;
use jiff::Timestamp;

use super::{item::id_of, table::Organizations};
use crate::{
    dynamodb::attribute::{Item, attribute_names, number, text_of, timestamp, timestamp_of},
    error::StoreError,
};

/// An organization that is due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DueOrganization {
    /// Since when it is due.
    pub next_check_at: Timestamp,
    /// Its id.
    pub id: OrganizationId,
}

impl Organizations {
    /// Up to `limit` organizations that are due at `as_of`, those first that have been due for the
    /// longest time. The cost follows from how many are returned, not from how many there are.
    ///
    /// The index is eventually consistent and may return an organization that was just synced: its
    /// sync is skipped. Read-only: safe to repeat.
    pub async fn due(
        &self,
        as_of: Timestamp,
        limit: usize,
    ) -> Result<Vec<DueOrganization>, StoreError> {
        let mut due = Vec::new();
        if limit == 0 {
            return Ok(due);
        }

        // Ids are spread evenly, so that most often one page of each bucket is enough.
        let page_size = limit.div_ceil(usize::from(CHECK_BUCKETS)).saturating_add(8);
        let page_size = i32::try_from(page_size).unwrap_or(i32::MAX);
        let mut buckets: Vec<_> = (0..CHECK_BUCKETS).map(Bucket::new).collect();
        while due.len() < limit {
            let empty = buckets.iter_mut().filter(|bucket| bucket.needs_page());
            try_join_all(empty.map(|bucket| self.read_page(bucket, as_of, page_size))).await?;

            let first = buckets
                .iter_mut()
                .filter(|bucket| !bucket.due.is_empty())
                .min_by(|left, right| left.due.front().cmp(&right.due.front()));
            match first.and_then(|bucket| bucket.due.pop_front()) {
                Some(organization) => due.push(organization),
                None => break,
            }
        }

        Ok(due)
    }

    /// Reads the next page of a bucket.
    async fn read_page(
        &self,
        bucket: &mut Bucket,
        as_of: Timestamp,
        page_size: i32,
    ) -> Result<(), StoreError> {
        const CONDITION: &str = "#check_bucket = :bucket AND #next_check_at <= :as_of";
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("by-next-check")
            .key_condition_expression(CONDITION)
            .set_expression_attribute_names(Some(attribute_names(&[CONDITION])))
            .expression_attribute_values(":bucket", number(bucket.number))
            .expression_attribute_values(":as_of", timestamp(as_of))
            .limit(page_size)
            .set_exclusive_start_key(bucket.next_page.take())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk_error(&self.table, &error))?;

        bucket.has_ended = page.last_evaluated_key.is_none();
        bucket.next_page = page.last_evaluated_key;
        let items = page.items.unwrap_or_default();
        bucket.due.extend(items.iter().filter_map(due_organization));
        Ok(())
    }
}

/// What has been read of one bucket of the index.
struct Bucket {
    number: u8,
    /// The organizations that were read and not returned, in the order of the index.
    due: VecDeque<DueOrganization>,
    next_page: Option<Item>,
    has_ended: bool,
}

impl Bucket {
    fn new(number: u8) -> Self {
        Self {
            number,
            due: VecDeque::new(),
            next_page: None,
            has_ended: false,
        }
    }

    /// Whether the first organization of the bucket is not known.
    fn needs_page(&self) -> bool {
        self.due.is_empty() && !self.has_ended
    }
}

/// The organization of an index entry. One that cannot be read is logged and left out.
fn due_organization(item: &Item) -> Option<DueOrganization> {
    let organization = id_of(item).zip(timestamp_of(item, "next_check_at"));
    if organization.is_none() {
        tracing::warn!(
            organization_id = text_of(item, "organization_id").unwrap_or_default(),
            error_type = ErrorType::StoreUnreadable.name(),
            "a due organization cannot be read"
        );
    }

    organization.map(|(id, next_check_at)| DueOrganization { next_check_at, id })
}
