//! The hourly budget of BILL requests: one item for each clock hour, such as
//! `budget#2026-11-23T06`.
//!
//! BILL limits the requests of a developer key per clock hour. A caller reserves requests before it
//! sends them and settles the reservation afterwards, so that all callers together stay below the
//! limit. The reservation of a process that stopped remains until the end of the hour: the count
//! can be too high, never too low.

use aws_sdk_dynamodb::types::AttributeValue;
use environment::{EnvironmentReader, FromEnvironment};
use jiff::Timestamp;
use serde::Deserialize;

use super::table::{RETENTION_DAYS, RunsTable, key};
use crate::{
    dynamodb::{
        attribute::{expires_at, from_item, number, timestamp},
        update::{ConditionalUpdate, UpdateOutcome},
    },
    error::StoreError,
    schema::SCHEMA_VERSION,
};

/// A number of requests, and how many of them are sign-ins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BudgetAmount {
    /// Requests to BILL, including sign-ins.
    pub requests: u32,
    /// Sign-ins as a user.
    pub sign_ins: u32,
}

/// Limits per clock hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourlyLimits {
    /// Maximum number of requests to BILL.
    pub requests_per_hour: u32,
    /// Maximum number of sign-ins as a user; `None`: sign-ins have no limit of their own.
    pub sign_ins_per_hour: Option<u32>,
}

/// `BILL_REQUESTS_PER_HOUR` (this product's part of BILL's limit) and `BILL_SIGN_INS_PER_HOUR` (0:
/// no separate limit).
impl FromEnvironment for HourlyLimits {
    fn read(reader: &mut EnvironmentReader) -> Option<Self> {
        let requests_per_hour = reader.optional("BILL_REQUESTS_PER_HOUR", 10_000);
        let sign_ins_per_hour = reader.optional("BILL_SIGN_INS_PER_HOUR", 0);

        Some(Self {
            requests_per_hour: requests_per_hour?,
            sign_ins_per_hour: Some(sign_ins_per_hour?).filter(|limit| *limit > 0),
        })
    }
}

/// The budget of BILL requests per clock hour, which all functions share.
#[derive(Debug, Clone)]
pub struct HourlyBudget {
    table: RunsTable,
    limits: HourlyLimits,
}

/// An amount reserved from the budget of an hour. Pass it to [`HourlyBudget::settle`] after the
/// requests.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "an unused amount should be returned with `HourlyBudget::settle`"]
pub struct Reservation {
    hour: String,
    amount: BudgetAmount,
}

/// The item of one hour.
#[derive(Debug, Default, Deserialize)]
struct HourItem {
    #[serde(default)]
    requests: u64,
    #[serde(default)]
    sign_ins: u64,
    #[serde(default)]
    closed_at: Option<Timestamp>,
}

impl HourlyBudget {
    /// The budget in the table, with these limits.
    pub(crate) fn new(table: RunsTable, limits: HourlyLimits) -> Self {
        Self { table, limits }
    }

    /// Reserves an amount from the budget of the clock hour of `now`; `None` when the budget does
    /// not have it, or the hour is closed.
    ///
    /// One conditional update: concurrent callers never get more than the limits. After an `Err`,
    /// or when the process stops, the amount may stay reserved until the end of the hour.
    pub async fn reserve(
        &self,
        now: Timestamp,
        amount: BudgetAmount,
    ) -> Result<Option<Reservation>, StoreError> {
        let Some(room) = self.limits.requests_per_hour.checked_sub(amount.requests) else {
            return Ok(None);
        };
        let mut condition = "attribute_not_exists(#closed_at) \
                             AND (attribute_not_exists(#requests) OR #requests <= :room)"
            .to_owned();
        let mut values = vec![(":room", number(room))];
        if let Some(limit) = self.limits.sign_ins_per_hour {
            let Some(room) = limit.checked_sub(amount.sign_ins) else {
                return Ok(None);
            };
            condition
                .push_str(" AND (attribute_not_exists(#sign_ins) OR #sign_ins <= :sign_in_room)");
            values.push((":sign_in_room", number(room)));
        }

        let hour = hour_key(now);
        let update = self.usage_update(&hour, now, amount, Some(&condition), values);
        match update.write(&self.table.client).await? {
            UpdateOutcome::Applied => Ok(Some(Reservation { hour, amount })),
            UpdateOutcome::ConditionFailed(_) => Ok(None),
        }
    }

    /// Corrects the count of the hour from the reserved amount to the used amount, up or down.
    ///
    /// An unused amount is returned at most once: the SDK does not retry that update. An `Err`
    /// leaves the count too high, which is safe, so the caller may ignore it.
    pub async fn settle(
        &self,
        reservation: Reservation,
        used: BudgetAmount,
    ) -> Result<(), StoreError> {
        let Reservation { hour, amount } = reservation;
        let requests = i64::from(used.requests) - i64::from(amount.requests);
        let sign_ins = i64::from(used.sign_ins) - i64::from(amount.sign_ins);
        if requests == 0 && sign_ins == 0 {
            return Ok(());
        }

        let update = ConditionalUpdate {
            table: &self.table.name,
            key: key(&hour),
            update: "ADD #requests :requests, #sign_ins :sign_ins",
            condition: Some("#requests >= :unused_requests AND #sign_ins >= :unused_sign_ins"),
            values: vec![
                (":requests", number(requests)),
                (":sign_ins", number(sign_ins)),
                (":unused_requests", number((-requests).max(0))),
                (":unused_sign_ins", number((-sign_ins).max(0))),
            ],
        };
        let returns_unused = requests < 0 || sign_ins < 0;
        if returns_unused {
            update
                .write_without_retries(&self.table.client)
                .await
                .map(drop)
        } else {
            update.write(&self.table.client).await.map(drop)
        }
    }

    /// Counts requests that were sent without a reservation.
    ///
    /// A second call counts them again, and so may the SDK's retry after a lost response. A count
    /// that is too high is safe.
    pub async fn record_usage(&self, now: Timestamp, used: BudgetAmount) -> Result<(), StoreError> {
        let update = self.usage_update(&hour_key(now), now, used, None, Vec::new());

        update.write(&self.table.client).await.map(drop)
    }

    /// Closes the hour, because BILL reports that its limit is reached (`BDC_1144`): nothing can be
    /// reserved until the next hour.
    ///
    /// A second call keeps the first time. If the process stops before this write, the next caller
    /// that gets the error closes the hour.
    pub async fn close_hour(&self, now: Timestamp) -> Result<(), StoreError> {
        let update = ConditionalUpdate {
            table: &self.table.name,
            key: key(&hour_key(now)),
            update: "SET #closed_at = if_not_exists(#closed_at, :now), \
                     #schema_version = :schema_version, #expires_at = :expires_at",
            condition: None,
            values: vec![
                (":now", timestamp(now)),
                (":schema_version", number(SCHEMA_VERSION)),
                (":expires_at", expires_at(now, RETENTION_DAYS)),
            ],
        };

        update.write(&self.table.client).await.map(drop)
    }

    /// The remaining budget of the clock hour of `now`; zero when the hour is closed. Sign-ins
    /// without a limit of their own are [`u32::MAX`].
    ///
    /// Read-only: safe to repeat. The result is an estimate; only [`HourlyBudget::reserve`] guarantees an
    /// amount.
    pub async fn remaining(&self, now: Timestamp) -> Result<BudgetAmount, StoreError> {
        let hour = hour_key(now);
        let counted = match self.table.read(&hour).await? {
            Some(item) => from_item(item)
                .ok_or_else(|| StoreError::unreadable(&self.table.name, format!("run {hour}")))?,
            None => HourItem::default(),
        };
        if counted.closed_at.is_some() {
            return Ok(BudgetAmount::default());
        }

        let left =
            |limit: u32, used: u64| limit.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX));
        Ok(BudgetAmount {
            requests: left(self.limits.requests_per_hour, counted.requests),
            sign_ins: self
                .limits
                .sign_ins_per_hour
                .map_or(u32::MAX, |limit| left(limit, counted.sign_ins)),
        })
    }

    /// The update that adds an amount to the count of an hour.
    fn usage_update<'a>(
        &'a self,
        hour: &str,
        now: Timestamp,
        amount: BudgetAmount,
        condition: Option<&'a str>,
        mut values: Vec<(&'static str, AttributeValue)>,
    ) -> ConditionalUpdate<'a> {
        values.extend([
            (":requests", number(amount.requests)),
            (":sign_ins", number(amount.sign_ins)),
            (":schema_version", number(SCHEMA_VERSION)),
            (":expires_at", expires_at(now, RETENTION_DAYS)),
        ]);

        ConditionalUpdate {
            table: &self.table.name,
            key: key(hour),
            update: "SET #schema_version = :schema_version, #expires_at = :expires_at \
                     ADD #requests :requests, #sign_ins :sign_ins",
            condition,
            values,
        }
    }
}

fn hour_key(now: Timestamp) -> String {
    now.strftime("budget#%Y-%m-%dT%H").to_string()
}
