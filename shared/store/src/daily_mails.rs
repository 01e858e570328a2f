//! How many mails the whole system sends on a day: one item of the `runs` table for each day,
//! `mails#2026-11-23`.
//!
//! Whoever is going to send takes some of the day's mails first and gives back those that it did
//! not send, so that any number of notifiers together stay below the limit. What a dead process had
//! taken stays taken: the count is too high at most.

use jiff::civil::Date;

use crate::{
    SCHEMA_VERSION,
    attribute::{expires_at, number},
    change::{Change, Changed},
    error::StoreError,
    runs::{RETENTION_DAYS, Runs, key},
};

impl Runs {
    /// Takes up to `wanted` of the mails that a day allows; returns how many it got, 0 when there
    /// are none left.
    ///
    /// Conditional updates: however many callers take at once, they never get more than `limit`
    /// together. After an `Err`, or a process that dies, some may stay taken for the rest of the
    /// day.
    pub async fn reserve_emails(
        &self,
        day: Date,
        wanted: u32,
        limit: u32,
    ) -> Result<u32, StoreError> {
        let mut wanted = wanted.min(limit);
        while wanted > 0 {
            let change = Change {
                table: &self.table,
                key: key(&run(day)),
                update: "SET #schema_version = :schema_version, #expires_at = :expires_at ADD #mails :wanted",
                condition: Some("attribute_not_exists(#mails) OR #mails <= :room"),
                values: vec![
                    (":wanted", number(wanted)),
                    (":room", number(limit - wanted)),
                    (":schema_version", number(SCHEMA_VERSION)),
                    (":expires_at", expires_at(midnight(day), RETENTION_DAYS)),
                ],
            };
            match change.write(&self.client).await? {
                Changed::Yes => return Ok(wanted),
                Changed::No(present) => {
                    let taken = present
                        .get("mails")
                        .and_then(|mails| mails.as_n().ok()?.parse().ok())
                        .unwrap_or(limit);
                    wanted = limit.saturating_sub(taken).min(wanted - 1);
                }
            }
        }
        Ok(0)
    }

    /// Gives back mails that were taken and not sent.
    ///
    /// At most once: the SDK does not repeat it, and an `Err` leaves the count too high, which is
    /// safe. So the `Err` may be ignored.
    pub async fn release_emails(&self, day: Date, unused: u32) -> Result<(), StoreError> {
        if unused == 0 {
            return Ok(());
        }
        let change = Change {
            table: &self.table,
            key: key(&run(day)),
            update: "ADD #mails :less",
            condition: Some("#mails >= :unused"),
            values: vec![
                (":less", number(-i64::from(unused))),
                (":unused", number(unused)),
            ],
        };
        change.write_without_retries(&self.client).await.map(drop)
    }
}

fn run(day: Date) -> String {
    format!("mails#{day}")
}

fn midnight(day: Date) -> jiff::Timestamp {
    day.to_zoned_datetime(jiff::tz::TimeZone::UTC)
        .map_or(jiff::Timestamp::MAX, |midnight| midnight.timestamp())
}
