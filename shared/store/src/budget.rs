//! The hour's budget of BILL requests, one item of the `runs` table for each clock hour:
//! `budget#2026-11-23T06`.
//!
//! BILL counts requests per developer key and clock hour. Whoever is going to call reserves first
//! and corrects afterwards, so that any number of callers together stay below the limit. What a
//! dead process had reserved stays reserved until the hour ends: the count is too high at most.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    SCHEMA_VERSION,
    attribute::{expires_at, from_item, moment, number},
    change::{Change, Changed},
    error::StoreError,
    runs::{RETENTION_DAYS, Runs, key},
};

/// A number of requests, and how many of them sign somebody in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BudgetAmount {
    /// Requests to BILL, sign-ins included.
    pub requests: u32,
    /// Sign-ins as a user.
    pub sign_ins: u32,
}

/// What a clock hour allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests to BILL.
    pub requests_per_hour: u32,
    /// Sign-ins as a user; `None`: no limit of their own.
    pub sign_ins_per_hour: Option<u32>,
}

/// An amount that was taken from an hour's budget. Give it to [`Runs::settle`] when the work is
/// done.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "what was not used should be given back"]
pub struct Reservation {
    hour: String,
    amount: BudgetAmount,
}

impl Reservation {
    /// What was reserved.
    pub fn amount(&self) -> BudgetAmount {
        self.amount
    }
}

/// One hour's item, as far as it is there.
#[derive(Debug, Default, Deserialize)]
struct Hour {
    #[serde(default)]
    requests: u64,
    #[serde(default)]
    sign_ins: u64,
    #[serde(default)]
    closed_at: Option<Timestamp>,
}

impl Runs {
    /// Takes an amount from the budget of the clock hour of `now`; `None` when it is not there any
    /// more, or the hour is closed.
    ///
    /// One conditional update: however many callers reserve at once, they never get more than the
    /// limits. After an `Err`, or a process that dies, the amount may stay reserved for the rest of
    /// the hour.
    pub async fn reserve(
        &self,
        now: Timestamp,
        amount: BudgetAmount,
        limits: Limits,
    ) -> Result<Option<Reservation>, StoreError> {
        let Some(room) = limits.requests_per_hour.checked_sub(amount.requests) else {
            return Ok(None);
        };
        let mut condition = "attribute_not_exists(#closed_at) AND (attribute_not_exists(#requests) OR #requests <= :room)".to_owned();
        let mut values = vec![(":room", number(room))];
        if let Some(limit) = limits.sign_ins_per_hour {
            let Some(room) = limit.checked_sub(amount.sign_ins) else {
                return Ok(None);
            };
            condition
                .push_str(" AND (attribute_not_exists(#sign_ins) OR #sign_ins <= :sign_in_room)");
            values.push((":sign_in_room", number(room)));
        }
        let hour = hour(now);
        let change = self.count(
            &hour,
            now,
            i64::from(amount.requests),
            i64::from(amount.sign_ins),
            Some(&condition),
            values,
        );
        match change.write(&self.client).await? {
            Changed::Yes => Ok(Some(Reservation { hour, amount })),
            Changed::No(_) => Ok(None),
        }
    }

    /// Corrects the hour's count from what was reserved to what was used, up or down.
    ///
    /// What is given back is given back at most once: the SDK does not repeat it, and an `Err`
    /// leaves the count too high, which is safe. So the `Err` may be ignored.
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
        let change = Change {
            table: &self.table,
            key: key(&hour),
            update: "ADD #requests :requests, #sign_ins :sign_ins",
            condition: Some("#requests >= :requests_back AND #sign_ins >= :sign_ins_back"),
            values: vec![
                (":requests", number(requests)),
                (":sign_ins", number(sign_ins)),
                (":requests_back", number((-requests).max(0))),
                (":sign_ins_back", number((-sign_ins).max(0))),
            ],
        };
        let gives_back = requests < 0 || sign_ins < 0;
        if gives_back {
            change.write_without_retries(&self.client).await.map(drop)
        } else {
            change.write(&self.client).await.map(drop)
        }
    }

    /// Counts requests that were made without a reservation.
    ///
    /// Repeated, or when an answer is lost, they are counted twice at most, which is safe.
    pub async fn add(&self, now: Timestamp, used: BudgetAmount) -> Result<(), StoreError> {
        let hour = hour(now);
        let change = self.count(
            &hour,
            now,
            i64::from(used.requests),
            i64::from(used.sign_ins),
            None,
            Vec::new(),
        );
        change.write(&self.client).await.map(drop)
    }

    /// BILL says that the hour is exhausted (`BDC_1144`): nobody gets anything of it any more.
    ///
    /// May be repeated; the first moment stays. Lost, the next caller that BILL turns away closes
    /// it.
    pub async fn close_hour(&self, now: Timestamp) -> Result<(), StoreError> {
        let change = Change {
            table: &self.table,
            key: key(&hour(now)),
            update: "SET #closed_at = if_not_exists(#closed_at, :now), #schema_version = :schema_version, #expires_at = :expires_at",
            condition: None,
            values: vec![
                (":now", moment(now)),
                (":schema_version", number(SCHEMA_VERSION)),
                (":expires_at", expires_at(now, RETENTION_DAYS)),
            ],
        };
        change.write(&self.client).await.map(drop)
    }

    /// What the clock hour of `now` still allows; nothing when it is closed. Without a limit of
    /// their own, sign-ins are as many as fit into a number.
    ///
    /// Reads only: may be repeated at will. Only [`Runs::reserve`] makes sure of them.
    pub async fn remaining(
        &self,
        now: Timestamp,
        limits: Limits,
    ) -> Result<BudgetAmount, StoreError> {
        let hour = hour(now);
        let unreadable = || StoreError::Unreadable {
            table: self.table.clone(),
            key: format!("run {hour}"),
        };
        let counted = match self.read(&hour).await? {
            Some(item) => from_item(item).ok_or_else(unreadable)?,
            None => Hour::default(),
        };
        if counted.closed_at.is_some() {
            return Ok(BudgetAmount::default());
        }
        let left =
            |limit: u32, used: u64| limit.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX));
        Ok(BudgetAmount {
            requests: left(limits.requests_per_hour, counted.requests),
            sign_ins: limits
                .sign_ins_per_hour
                .map_or(u32::MAX, |limit| left(limit, counted.sign_ins)),
        })
    }

    fn count<'a>(
        &'a self,
        hour: &str,
        now: Timestamp,
        requests: i64,
        sign_ins: i64,
        condition: Option<&'a str>,
        mut values: Vec<(&'static str, AttributeValue)>,
    ) -> Change<'a> {
        values.extend([
            (":requests", number(requests)),
            (":sign_ins", number(sign_ins)),
            (":schema_version", number(SCHEMA_VERSION)),
            (":expires_at", expires_at(now, RETENTION_DAYS)),
        ]);
        Change {
            table: &self.table,
            key: key(hour),
            update: "SET #schema_version = :schema_version, #expires_at = :expires_at ADD #requests :requests, #sign_ins :sign_ins",
            condition,
            values,
        }
    }
}

fn hour(now: Timestamp) -> String {
    now.strftime("budget#%Y-%m-%dT%H").to_string()
}
