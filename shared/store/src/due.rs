//! Which notices wait to be sent.

use std::cmp::Reverse;

use aws_sdk_dynamodb::Client;
use engagement::{DUE_BUCKETS, Notice};
use futures::future::try_join_all;
use jiff::Timestamp;

use crate::{
    attribute::{from_item, moment, names, number, text_of},
    error::StoreError,
};

/// Items that one page of a query holds at most.
const PAGE: usize = 1_000;

/// Notices that may go out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Due {
    /// The highest priority first, then the longest due.
    pub notices: Vec<Notice>,
    /// Items that were passed over because they cannot be read; each was logged.
    pub unreadable: usize,
}

/// Reads every bucket side by side and merges them.
pub async fn due(client: &Client, table: &str, as_of: Timestamp, limit: usize) -> Result<Due, StoreError> {
    let buckets = try_join_all((0..DUE_BUCKETS).map(|number| bucket(client, table, number, as_of, limit))).await?;
    let mut due = buckets.into_iter().fold(Due::default(), |mut due, bucket| {
        due.notices.extend(bucket.notices);
        due.unreadable += bucket.unreadable;
        due
    });
    due.notices.sort_by(|left, right| urgency(left).cmp(&urgency(right)));
    due.notices.truncate(limit);
    Ok(due)
}

/// The first notices of one bucket, the longest due first. Pages are read until `limit` of them can be read, so that a heap of
/// unreadable items does not stand before the others for ever.
async fn bucket(client: &Client, table: &str, bucket: u8, as_of: Timestamp, limit: usize) -> Result<Due, StoreError> {
    const CONDITION: &str = "#due_bucket = :bucket AND #due_at <= :as_of";
    let mut due = Due::default();
    let mut pages = client
        .query()
        .table_name(table)
        .index_name("by-due")
        .key_condition_expression(CONDITION)
        .set_expression_attribute_names(Some(names(&[CONDITION])))
        .expression_attribute_values(":bucket", number(bucket))
        .expression_attribute_values(":as_of", moment(as_of))
        .limit(i32::try_from(limit.clamp(1, PAGE)).unwrap_or(i32::MAX))
        .into_paginator()
        .send();
    while due.notices.len() < limit
        && let Some(page) = pages.next().await
    {
        let items = page.map_err(|error| StoreError::of_call(table, &error))?.items.unwrap_or_default();
        for item in items {
            let organization_id = text_of(&item, "organization_id").unwrap_or_default().to_owned();
            if let Some(notice) = from_item(item) {
                due.notices.push(notice);
            } else {
                due.unreadable += 1;
                tracing::warn!(organization_id, error_type = "store_unreadable", "a due notice cannot be read");
            }
        }
    }
    Ok(due)
}

/// Orders notices: no two are equal, so that the order does not depend on the buckets' answers.
fn urgency(notice: &Notice) -> impl Ord + '_ {
    (Reverse(notice.priority), notice.due_at, &notice.organization_id, &notice.notice)
}
