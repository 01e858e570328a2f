//! Reads the due notices, the most urgent first.

use std::cmp::Reverse;

use engagement::{DUE_BUCKETS, Notice};
use errors::ErrorType;
use futures::future::try_join_all;
use jiff::Timestamp;

use super::table::Notices;
use crate::{
    dynamodb::attribute::{attribute_names, from_item, number, text_of, timestamp},
    error::StoreError,
};

/// Due notices.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DueNotices {
    /// The notices by descending priority, then by ascending due time.
    pub notices: Vec<Notice>,
    /// Number of items that were left out because they cannot be read. Each is logged.
    pub unreadable: usize,
}

impl Notices {
    /// Up to `limit` notices that are due at `as_of`: those of the highest priority in the whole
    /// table, then those that have been due for the longest time. Notices for which `is_wanted` is
    /// `false` are left out.
    ///
    /// The index is eventually consistent and may return a notice that was just claimed:
    /// [`Notices::claim`] decides. Read-only: safe to repeat.
    pub async fn due(
        &self,
        as_of: Timestamp,
        limit: usize,
        is_wanted: impl Fn(&Notice) -> bool,
    ) -> Result<DueNotices, StoreError> {
        let buckets = try_join_all(
            (0..DUE_BUCKETS).map(|bucket| self.due_in_bucket(bucket, as_of, limit, &is_wanted)),
        )
        .await?;

        let mut due = DueNotices::default();
        for bucket in buckets {
            due.notices.extend(bucket.notices);
            due.unreadable += bucket.unreadable;
        }
        keep_most_urgent(&mut due.notices, limit);
        Ok(due)
    }

    /// The most urgent notices of one bucket. Reads the whole bucket, because the index has the
    /// order of time and not of priority, but never keeps more than `limit` notices and one page.
    async fn due_in_bucket(
        &self,
        bucket: u8,
        as_of: Timestamp,
        limit: usize,
        is_wanted: &impl Fn(&Notice) -> bool,
    ) -> Result<DueNotices, StoreError> {
        const CONDITION: &str = "#due_bucket = :bucket AND #due_at <= :as_of";
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("by-due")
            .key_condition_expression(CONDITION)
            .set_expression_attribute_names(Some(attribute_names(&[CONDITION])))
            .expression_attribute_values(":bucket", number(bucket))
            .expression_attribute_values(":as_of", timestamp(as_of))
            .into_paginator()
            .send();
        let mut due = DueNotices::default();

        while let Some(page) = pages.next().await {
            let items = page
                .map_err(|error| StoreError::from_sdk_error(&self.table, &error))?
                .items
                .unwrap_or_default();

            for item in items {
                let organization_id = text_of(&item, "organization_id")
                    .unwrap_or_default()
                    .to_owned();
                if let Some(notice) = from_item(item) {
                    due.notices.extend(Some(notice).filter(is_wanted));
                } else {
                    due.unreadable += 1;
                    tracing::warn!(
                        organization_id,
                        error_type = ErrorType::StoreUnreadable.name(),
                        "a due notice cannot be read"
                    );
                }
            }
            keep_most_urgent(&mut due.notices, limit);
        }

        Ok(due)
    }
}

fn keep_most_urgent(notices: &mut Vec<Notice>, limit: usize) {
    notices.sort_unstable_by(|left, right| urgency(left).cmp(&urgency(right)));
    notices.truncate(limit);
}

/// The sort order of notices. It ends with the key, so that no two notices are equal and the order
/// does not depend on the order of the buckets.
fn urgency(notice: &Notice) -> impl Ord + '_ {
    (
        Reverse(notice.priority),
        notice.due_at,
        &notice.organization_id,
        &notice.notice,
    )
}
