//! Every organization made due, so that sweeps look at each of them once more.

use engagement::OrganizationId;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::{Organizations, id_of, key};
use crate::{
    attribute::{Item, moment, names, text_of, timestamp_of, whole},
    change::{Change, Changed},
    error::StoreError,
};

/// Changes under way at once.
const MAX_CONCURRENT_UPDATES: usize = 32;

/// What came of making organizations due.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MakeDueProgress {
    /// Organizations in the table.
    pub organizations: u64,
    /// Those of them that were made due. The others were due already, or were looked at meanwhile.
    pub made_due: u64,
    /// The ids of those of them whose item cannot be read; they were left as they are.
    pub unreadable: Vec<String>,
}

impl Organizations {
    /// Makes every organization due at `at` that would be due later and was not looked at since.
    /// After each page of the table, `told` gets what was done so far.
    ///
    /// May run twice, side by side, and beside looks: whatever was looked at or made due meanwhile
    /// is left alone. After an `Err`, as after the end of the process, what was made due stays due;
    /// repeating it does the rest.
    ///
    /// A look that is under way when its organization is made due is not written, and the
    /// organization stays due.
    pub async fn make_due(
        &self,
        at: Timestamp,
        mut told: impl FnMut(&MakeDueProgress),
    ) -> Result<MakeDueProgress, StoreError> {
        const PROJECTION: &str = "#organization_id, #checked_at, #next_check_at";
        let scan = self
            .client
            .scan()
            .table_name(&self.table)
            .projection_expression(PROJECTION);
        let mut pages = scan
            .set_expression_attribute_names(Some(names(&[PROJECTION])))
            .into_paginator()
            .send();
        let mut done = MakeDueProgress::default();
        let mut fetched = pages.next().await;
        while let Some(page) = fetched.take() {
            let items = page
                .map_err(|error| StoreError::from_sdk_error(&self.table, &error))?
                .items
                .unwrap_or_default();
            done.organizations += items.len() as u64;
            let later = not_yet_due(&items, at, &mut done.unreadable);
            let (made_due, next) = tokio::join!(self.make_each_due(later, at), pages.next());
            done.made_due += made_due?;
            told(&done);
            fetched = next;
        }
        Ok(done)
    }

    async fn make_each_due(
        &self,
        ids: Vec<OrganizationId>,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let changes = stream::iter(ids)
            .map(|id| self.make_one_due(id, at))
            .buffer_unordered(MAX_CONCURRENT_UPDATES);
        changes
            .try_fold(0, async |made_due, is_made_due| {
                Ok(made_due + u64::from(is_made_due))
            })
            .await
    }

    async fn make_one_due(&self, id: OrganizationId, at: Timestamp) -> Result<bool, StoreError> {
        let change = Change {
            table: &self.table,
            key: key(&id),
            update: "SET #next_check_at = :at",
            condition: Some(
                "#next_check_at > :at AND (attribute_not_exists(#checked_at) OR #checked_at < :at)",
            ),
            values: vec![(":at", moment(at))],
        };
        Ok(change.write(&self.client).await? == Changed::Yes)
    }
}

/// The organizations of a page that would be due later.
fn not_yet_due(items: &[Item], at: Timestamp, unreadable: &mut Vec<String>) -> Vec<OrganizationId> {
    let mut later = Vec::new();
    for item in items {
        if let Some((id, next_check_at)) = next_check(item) {
            later.extend((next_check_at > whole(at)).then_some(id));
        } else {
            let organization_id = text_of(item, "organization_id").unwrap_or_default();
            tracing::warn!(
                organization_id,
                error_type = "store_unreadable",
                "when an organization is due cannot be read"
            );
            unreadable.push(organization_id.to_owned());
        }
    }
    later
}

/// Which organization it is, and when to look at it again. An organization that BILL has never
/// shown has no `checked_at`.
fn next_check(item: &Item) -> Option<(OrganizationId, Timestamp)> {
    if item.contains_key("checked_at") {
        timestamp_of(item, "checked_at")?;
    }
    Some((id_of(item)?, timestamp_of(item, "next_check_at")?))
}
