//! The `organizations` table: where each organization stands and when to look at it again.

mod due;

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use engagement::{CurrentStage, Organization, OrganizationId, StageReason};
use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    SCHEMA_VERSION,
    attribute::{Item, from_item, moment, number, text, text_of, timestamp_of, to_item, whole},
    batch::{self, Projection},
    change::Change,
    error::StoreError,
};

pub use due::MakeDueProgress;

/// The `organizations` table.
#[derive(Debug, Clone)]
pub struct Organizations {
    client: Client,
    table: String,
}

impl Organizations {
    /// The table of that name.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// What is remembered of an organization, every earlier write included. An item that holds only
    /// a failure, because no check has succeeded yet, counts as nothing.
    ///
    /// Reads only: may be repeated at will.
    pub async fn get(&self, id: &OrganizationId) -> Result<Option<Organization>, StoreError> {
        let sent = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(id)))
            .consistent_read(true)
            .send()
            .await;
        let item = sent
            .map_err(|error| StoreError::from_sdk_error(&self.table, &error))?
            .item;
        let Some(item) = item.filter(|item| item.contains_key("stage")) else {
            return Ok(None);
        };
        let organization = read(item).ok_or_else(|| StoreError::Unreadable {
            table: self.table.clone(),
            key: format!("organization_id {id}"),
        })?;
        Ok(Some(organization))
    }

    /// When to look again at each of the organizations, and how it was listed. Those without a
    /// readable moment are left out: they are due.
    ///
    /// May miss a write of the last second: then an organization is looked at once too often, or,
    /// when it was just made due, at the next sweep. Reads only: may be repeated at will.
    pub async fn next_syncs(
        &self,
        ids: &[OrganizationId],
    ) -> Result<HashMap<OrganizationId, NextSync>, StoreError> {
        let attributes =
            Some("#organization_id, #next_check_at, #stage, #stage_reason, #sync_error");
        let projection = Projection {
            attributes,
            consistent: false,
        };
        let items = batch::get(
            &self.client,
            &self.table,
            keys(ids.iter().cloned()),
            projection,
        )
        .await?;
        Ok(items
            .iter()
            .filter_map(|item| Some((id_of(item)?, next_check(item)?)))
            .collect())
    }

    /// Where each of the organizations stands now, every earlier write included. Organizations that
    /// are not known are left out; those whose item cannot be read are `None`, and logged.
    ///
    /// Reads only: may be repeated at will.
    pub async fn current_stages(
        &self,
        ids: impl IntoIterator<Item = OrganizationId>,
    ) -> Result<HashMap<OrganizationId, Option<CurrentStage>>, StoreError> {
        let projection = Projection {
            attributes: Some("#organization_id, #stage, #stage_since"),
            consistent: true,
        };
        let items = batch::get(&self.client, &self.table, keys(ids), projection).await?;
        Ok(items.into_iter().filter_map(current_stage).collect())
    }

    /// Notes that a check failed and when to try again, beside whatever is known of the
    /// organization. A failure that is older than the last check, or than the last failure, is
    /// ignored; and so is one of an organization that became due, or was made due, between `at` and
    /// `now`: it stays due.
    ///
    /// Repeating it writes the same again. Lost (the process died before it), the organization
    /// merely stays due.
    pub async fn record_failure(
        &self,
        id: &OrganizationId,
        error_type: &str,
        at: Timestamp,
        next_check_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let change = Change {
            table: &self.table,
            key: key(id),
            update: "SET #sync_error = :sync_error, #sync_failed_at = :at, #next_check_at = :next_check_at, #schema_version = :schema_version",
            condition: Some(
                "(attribute_not_exists(#checked_at) OR #checked_at < :at) \
                 AND (attribute_not_exists(#sync_failed_at) OR #sync_failed_at <= :at) \
                 AND (attribute_not_exists(#next_check_at) OR #next_check_at <= :at OR #next_check_at > :now)",
            ),
            values: vec![
                (":sync_error", text(error_type)),
                (":at", moment(at)),
                (":now", moment(now)),
                (":next_check_at", moment(next_check_at)),
                (":schema_version", number(SCHEMA_VERSION)),
            ],
        };
        change.write(&self.client).await.map(drop)
    }
}

/// When an organization is to be looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextSync {
    /// Not before this.
    pub at: Timestamp,
    /// Whether it was archived when it was last looked at; `None` before it ever was, and after a
    /// look that failed.
    pub was_archived: Option<bool>,
}

impl NextSync {
    /// Whether an organization that is now listed so is to be looked at.
    pub fn is_due(&self, as_of: Timestamp, archived: bool) -> bool {
        self.at <= as_of
            || self
                .was_archived
                .is_some_and(|was_archived| was_archived != archived)
    }
}

fn next_check(item: &Item) -> Option<NextSync> {
    let is_known = item.contains_key("stage") && !item.contains_key("sync_error");
    let was_archived = is_known
        .then(|| text_of(item, "stage_reason") == Some(<&str>::from(StageReason::Archived)));
    Some(NextSync {
        at: timestamp_of(item, "next_check_at")?,
        was_archived,
    })
}

/// The item of a record. Its sum is a number, so that it can be compared in queries.
pub(crate) fn item(table: &str, organization: &Organization) -> Result<Item, StoreError> {
    let mut item = to_item(table, &with_times_in_seconds(organization.clone()))?;
    if let Some(AttributeValue::S(amount)) = item.remove("amount_30d") {
        item.insert("amount_30d".to_owned(), AttributeValue::N(amount));
    }
    Ok(item)
}

/// The record of an item.
fn read(mut item: Item) -> Option<Organization> {
    if let Some(AttributeValue::N(amount)) = item.remove("amount_30d") {
        item.insert("amount_30d".to_owned(), AttributeValue::S(amount));
    }
    from_item(item)
}

fn with_times_in_seconds(mut organization: Organization) -> Organization {
    organization.stage_since = whole(organization.stage_since);
    organization.checked_at = whole(organization.checked_at);
    organization.next_check_at = whole(organization.next_check_at);
    organization.created_at = organization.created_at.map(whole);
    organization.last_payment_at = organization.last_payment_at.map(whole);
    organization
        .steps
        .values_mut()
        .for_each(|mark| mark.at = whole(mark.at));
    organization
}

fn key(id: &OrganizationId) -> Item {
    [("organization_id".to_owned(), text(id))].into()
}

/// The keys of organizations, each once: DynamoDB refuses a batch that names one twice.
fn keys(ids: impl IntoIterator<Item = OrganizationId>) -> Vec<Item> {
    ids.into_iter()
        .collect::<BTreeSet<_>>()
        .iter()
        .map(key)
        .collect()
}

fn id_of(item: &Item) -> Option<OrganizationId> {
    text_of(item, "organization_id")?.parse().ok()
}

fn current_stage(item: Item) -> Option<(OrganizationId, Option<CurrentStage>)> {
    #[derive(Deserialize)]
    struct Stored {
        stage: engagement::Stage,
        stage_since: Timestamp,
    }
    let id = id_of(&item)?;
    if !item.contains_key("stage") {
        return None;
    }
    let Some(Stored { stage, stage_since }) = from_item(item) else {
        tracing::warn!(organization_id = %id, "where the organization stands cannot be read");
        return Some((id, None));
    };
    Some((
        id,
        Some(CurrentStage {
            stage,
            since: stage_since,
        }),
    ))
}
