//! The hourly budget of BILL requests: one item for each clock hour, such as
//! `budget#2026-11-23T06`.
//!
//! BILL limits the requests of a developer key per clock hour. A caller reserves requests before it
//! sends them and settles the reservation afterwards, so that all callers together stay below the
//! limit. The reservation of a process that stopped remains until the end of the hour: the count
//! can be too high, never too low.

use jiff::Timestamp;

use super::{
    hour_item::HourItem,
    hourly_limits::{BudgetAmount, BudgetShare, HourlyLimits},
    table::{RETENTION_DAYS, RunsTable, key},
};
use crate::{
    dynamodb::{
        attribute::{Item, expires_at, from_item, number, timestamp},
        update::{ConditionalUpdate, UpdateOutcome},
    },
    error::StoreError,
    schema::SCHEMA_VERSION,
};

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
    share: BudgetShare,
    amount: BudgetAmount,
}

impl HourlyBudget {
    /// The budget in the table, with these limits.
    pub(crate) fn new(table: RunsTable, limits: HourlyLimits) -> Self {
        Self { table, limits }
    }

    /// Reserves an amount from the budget of the clock hour of `now`; `None` when the budget or the
    /// share does not have it, or the hour is closed.
    ///
    /// One conditional update: concurrent callers never get more than the limits. After an `Err`,
    /// or when the process stops, the amount may stay reserved until the end of the hour.
    pub async fn reserve(
        &self,
        now: Timestamp,
        share: BudgetShare,
        amount: BudgetAmount,
    ) -> Result<Option<Reservation>, StoreError> {
        Ok(self.try_reserve(now, share, amount).await?.ok())
    }

    /// Reserves the first of these amounts, as many as the budget has. Returns the reservation of
    /// all of them and their number; `None` when the budget does not have the first one.
    ///
    /// The conditions and the consequences are those of [`HourlyBudget::reserve`].
    pub async fn reserve_up_to(
        &self,
        now: Timestamp,
        share: BudgetShare,
        amounts: &[BudgetAmount],
    ) -> Result<Option<(Reservation, usize)>, StoreError> {
        let mut left = HourItem::default().left(&self.limits, share);
        let mut wanted = amounts;
        loop {
            let (count, sum) = left.sum_of_first(wanted);
            if count == 0 {
                return Ok(None);
            }
            match self.try_reserve(now, share, sum).await? {
                Ok(reservation) => return Ok(Some((reservation, count))),
                Err(less) => {
                    left = less;
                    wanted = &wanted[..count - 1];
                }
            }
        }
    }

    /// Reserves an amount. The inner `Err` is what the share has left, which is less.
    async fn try_reserve(
        &self,
        now: Timestamp,
        share: BudgetShare,
        amount: BudgetAmount,
    ) -> Result<Result<Reservation, BudgetAmount>, StoreError> {
        let Some((condition, mut values)) = self.limits.room_condition(share, amount) else {
            return Ok(Err(HourItem::default().left(&self.limits, share)));
        };

        let hour = hour_key(now);
        let add = share.add_expression();
        let expression =
            format!("SET #schema_version = :schema_version, #expires_at = :expires_at {add}");
        values.extend([
            (":requests", number(amount.requests)),
            (":sign_ins", number(amount.sign_ins)),
            (":schema_version", number(SCHEMA_VERSION)),
            (":expires_at", expires_at(now, RETENTION_DAYS)),
        ]);
        let update = ConditionalUpdate {
            table: &self.table.name,
            key: key(&hour),
            update: &expression,
            condition: Some(&condition),
            values,
        };
        match update.write(&self.table.client).await? {
            UpdateOutcome::Applied => Ok(Ok(Reservation {
                hour,
                share,
                amount,
            })),
            UpdateOutcome::ConditionFailed(current) => {
                let counted = self.counted(&hour, Some(current))?;
                Ok(Err(counted.left(&self.limits, share)))
            }
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
        let Reservation {
            hour,
            share,
            amount,
        } = reservation;
        let requests = i64::from(used.requests) - i64::from(amount.requests);
        let sign_ins = i64::from(used.sign_ins) - i64::from(amount.sign_ins);
        if requests == 0 && sign_ins == 0 {
            return Ok(());
        }

        let expression = share.add_expression();
        let update = ConditionalUpdate {
            table: &self.table.name,
            key: key(&hour),
            update: &expression,
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

    /// What a share has left of the clock hour of `now`; zero when the hour is closed. Sign-ins
    /// without a limit of their own are [`u32::MAX`].
    ///
    /// Read-only: safe to repeat. The result is an estimate; only [`HourlyBudget::reserve`]
    /// guarantees an amount.
    pub async fn remaining(
        &self,
        now: Timestamp,
        share: BudgetShare,
    ) -> Result<BudgetAmount, StoreError> {
        let hour = hour_key(now);
        let counted = self.counted(&hour, self.table.read(&hour).await?)?;

        Ok(counted.left(&self.limits, share))
    }

    fn counted(&self, hour: &str, item: Option<Item>) -> Result<HourItem, StoreError> {
        item.map_or(Some(HourItem::default()), from_item)
            .ok_or_else(|| StoreError::unreadable(&self.table.name, format!("run {hour}")))
    }
}

fn hour_key(now: Timestamp) -> String {
    now.strftime("budget#%Y-%m-%dT%H").to_string()
}
