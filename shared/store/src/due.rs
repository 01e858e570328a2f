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

/// Notices that may go out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Due {
    /// The highest priority first, then the longest due.
    pub notices: Vec<Notice>,
    /// Items that were passed over because they cannot be read; each was logged.
    pub unreadable: usize,
}

/// Reads every bucket side by side and merges them.
pub async fn due(
    client: &Client,
    table: &str,
    as_of: Timestamp,
    limit: usize,
    is_wanted: &impl Fn(&Notice) -> bool,
) -> Result<Due, StoreError> {
    let buckets = try_join_all(
        (0..DUE_BUCKETS).map(|number| bucket(client, table, number, as_of, limit, is_wanted)),
    )
    .await?;
    let mut due = buckets.into_iter().fold(Due::default(), |mut due, bucket| {
        due.notices.extend(bucket.notices);
        due.unreadable += bucket.unreadable;
        due
    });
    keep_most_urgent(&mut due.notices, limit);
    Ok(due)
}

/// The most urgent notices of one bucket. It is read to its end, because the index is in the order
/// of time alone; no more than a page above `limit` is kept meanwhile.
async fn bucket(
    client: &Client,
    table: &str,
    bucket: u8,
    as_of: Timestamp,
    limit: usize,
    is_wanted: &impl Fn(&Notice) -> bool,
) -> Result<Due, StoreError> {
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
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let items = page
            .map_err(|error| StoreError::from_sdk_error(table, &error))?
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
                    error_type = "store_unreadable",
                    "a due notice cannot be read"
                );
            }
        }
        keep_most_urgent(&mut due.notices, limit);
    }
    Ok(due)
}

fn keep_most_urgent(notices: &mut Vec<Notice>, limit: usize) {
    notices.sort_unstable_by(|left, right| urgency(left).cmp(&urgency(right)));
    notices.truncate(limit);
}

/// Orders notices: no two are equal, so that the order does not depend on the buckets' answers.
fn urgency(notice: &Notice) -> impl Ord + '_ {
    (
        Reverse(notice.priority),
        notice.due_at,
        &notice.organization_id,
        &notice.notice,
    )
}
