//! The number of e-mails that the whole system sends per day: one item for each day, such as
//! `mails#2026-11-23`.
//!
//! A notifier reserves e-mails before it sends them and releases those that it did not send, so
//! that all notifiers together stay below the limit. The reservation of a process that stopped
//! remains until the end of the day: the count can be too high, never too low.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::table::{RETENTION_DAYS, RunsTable, key};
use crate::{
    dynamodb::{
        attribute::{expires_at, number},
        update::{ConditionalUpdate, UpdateOutcome},
    },
    error::StoreError,
    schema::SCHEMA_VERSION,
};

/// The counter of the e-mails of each day.
#[derive(Debug, Clone)]
pub struct DailyQuota {
    table: RunsTable,
}

impl DailyQuota {
    /// The counter in the table.
    pub(crate) fn new(table: RunsTable) -> Self {
        Self { table }
    }

    /// Reserves up to `wanted` of the e-mails of a day. Returns the number of reserved e-mails; 0
    /// when the limit is reached.
    ///
    /// Conditional updates: concurrent callers never get more than `limit` in total. After an
    /// `Err`, or when the process stops, some e-mails may stay reserved until the end of the day.
    pub async fn reserve(&self, day: Date, wanted: u32, limit: u32) -> Result<u32, StoreError> {
        let mut wanted = wanted.min(limit);
        while wanted > 0 {
            let update = ConditionalUpdate {
                table: &self.table.name,
                key: key(&daily_key(day)),
                update: "SET #schema_version = :schema_version, #expires_at = :expires_at \
                         ADD #mails :wanted",
                condition: Some("attribute_not_exists(#mails) OR #mails <= :room"),
                values: vec![
                    (":wanted", number(wanted)),
                    (":room", number(limit - wanted)),
                    (":schema_version", number(SCHEMA_VERSION)),
                    (":expires_at", expires_at(midnight(day), RETENTION_DAYS)),
                ],
            };
            match update.write(&self.table.client).await? {
                UpdateOutcome::Applied => return Ok(wanted),
                UpdateOutcome::ConditionFailed(current) => {
                    let reserved = current
                        .get("mails")
                        .and_then(|mails| mails.as_n().ok()?.parse().ok())
                        .unwrap_or(limit);
                    wanted = limit.saturating_sub(reserved).min(wanted - 1);
                }
            }
        }

        Ok(0)
    }

    /// Releases e-mails that were reserved and not sent.
    ///
    /// They are released at most once: the SDK does not retry the update. An `Err` leaves the count
    /// too high, which is safe, so the caller may ignore it.
    pub async fn release(&self, day: Date, unused: u32) -> Result<(), StoreError> {
        if unused == 0 {
            return Ok(());
        }

        let update = ConditionalUpdate {
            table: &self.table.name,
            key: key(&daily_key(day)),
            update: "ADD #mails :less",
            condition: Some("#mails >= :unused"),
            values: vec![
                (":less", number(-i64::from(unused))),
                (":unused", number(unused)),
            ],
        };

        update
            .write_without_retries(&self.table.client)
            .await
            .map(drop)
    }
}

fn daily_key(day: Date) -> String {
    format!("mails#{day}")
}

fn midnight(day: Date) -> Timestamp {
    day.to_zoned_datetime(TimeZone::UTC)
        .map_or(Timestamp::MAX, |midnight| midnight.timestamp())
}
