//! Notices whose outcome is unknown: abandons old claims, and counts unknown notices for the alarm.

use std::ops::RangeInclusive;

use aws_sdk_dynamodb::types::Select;
use engagement::{NoticeReason, NoticeStatus};
use jiff::Timestamp;

use super::{item::status, table::Notices};
use crate::{
    dynamodb::{
        attribute::{Item, attribute_names, text, timestamp},
        update::{ConditionalUpdate, UpdateOutcome},
    },
    error::StoreError,
};

const CLAIMED_BEFORE: &str = "#status = :claimed AND #updated_at < :before";

impl Notices {
    /// Changes the claims made before `claimed_before` to `unknown`: their notifiers stopped, and
    /// may have sent the e-mails. Returns the number of changed notices. `claimed_before` must be
    /// further in the past than the time-out of a notifier.
    ///
    /// Each notice is a conditional update of its own, so that the method is safe to repeat, to run
    /// concurrently and to stop halfway.
    pub async fn abandon_claims(
        &self,
        claimed_before: Timestamp,
        at: Timestamp,
    ) -> Result<usize, StoreError> {
        const KEY: &str = "#organization_id, #notice";
        let mut keys = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("by-status")
            .key_condition_expression(CLAIMED_BEFORE)
            .projection_expression(KEY)
            .set_expression_attribute_names(Some(attribute_names(&[CLAIMED_BEFORE, KEY])))
            .expression_attribute_values(":claimed", status(NoticeStatus::Claimed))
            .expression_attribute_values(":before", timestamp(claimed_before))
            .into_paginator()
            .items()
            .send();

        let mut abandoned = 0;
        while let Some(key) = keys.next().await {
            let key = key.map_err(|error| StoreError::from_sdk_error(&self.table, &error))?;
            abandoned += usize::from(self.abandon(key, claimed_before, at).await?);
        }

        Ok(abandoned)
    }

    async fn abandon(
        &self,
        key: Item,
        claimed_before: Timestamp,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = ConditionalUpdate {
            table: &self.table,
            key,
            update: "SET #status = :unknown, #reason = :reason, #updated_at = :at",
            condition: Some(CLAIMED_BEFORE),
            values: vec![
                (":claimed", status(NoticeStatus::Claimed)),
                (":unknown", status(NoticeStatus::Unknown)),
                (":reason", text(&NoticeReason::ClaimAbandoned)),
                (":before", timestamp(claimed_before)),
                (":at", timestamp(at)),
            ],
        };

        Ok(update.write(&self.client).await? == UpdateOutcome::Applied)
    }

    /// The number of notices that became `unknown` within that time and are still unknown.
    ///
    /// Read-only: safe to repeat.
    pub async fn count_unknown(
        &self,
        updated_within: RangeInclusive<Timestamp>,
    ) -> Result<u64, StoreError> {
        const CONDITION: &str = "#status = :unknown AND #updated_at BETWEEN :from AND :until";
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("by-status")
            .key_condition_expression(CONDITION)
            .select(Select::Count)
            .set_expression_attribute_names(Some(attribute_names(&[CONDITION])))
            .expression_attribute_values(":unknown", status(NoticeStatus::Unknown))
            .expression_attribute_values(":from", timestamp(*updated_within.start()))
            .expression_attribute_values(":until", timestamp(*updated_within.end()))
            .into_paginator()
            .send();

        let mut unknown = 0;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| StoreError::from_sdk_error(&self.table, &error))?;
            unknown += u64::try_from(page.count()).unwrap_or_default();
        }

        Ok(unknown)
    }
}
