//! The limits of BILL requests per clock hour, and who may use which part of them.

use aws_sdk_dynamodb::types::AttributeValue;
use environment::{EnvironmentReader, FromEnvironment};

use crate::dynamodb::attribute::number;

/// A number of requests, and how many of them are sign-ins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BudgetAmount {
    /// Requests to BILL, including sign-ins.
    pub requests: u32,
    /// Sign-ins as a user.
    pub sign_ins: u32,
}

impl BudgetAmount {
    /// The number of the first of these amounts that this one has room for together, and their sum.
    pub(super) fn sum_of_first(self, amounts: &[Self]) -> (usize, Self) {
        let mut sum = Self::default();
        for (count, amount) in amounts.iter().enumerate() {
            let next = Self {
                requests: sum.requests.saturating_add(amount.requests),
                sign_ins: sum.sign_ins.saturating_add(amount.sign_ins),
            };
            if next.requests > self.requests || next.sign_ins > self.sign_ins {
                return (count, sum);
            }
            sum = next;
        }

        (amounts.len(), sum)
    }
}

/// What makes the requests. Each has a share of the hour, so that neither can use up the budget of
/// the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetShare {
    /// Fan-out, and the syncs of organizations that are due: 80 percent.
    Sweep,
    /// The syncs that BILL's events cause: [`HourlyLimits::events_share`].
    Events,
    /// The daily listing of all organizations: 10 percent.
    Listing,
}

/// Percentage of the hour that the sweep may use.
const SWEEP_SHARE: u32 = 80;

/// Percentage of the hour that the daily listing may use.
const LISTING_SHARE: u32 = 10;

/// Limits per clock hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourlyLimits {
    /// Maximum number of requests to BILL.
    pub requests_per_hour: u32,
    /// Maximum number of sign-ins as a user; `None`: sign-ins have no limit of their own.
    pub sign_ins_per_hour: Option<u32>,
    /// Percentage of both limits that the syncs of events may use.
    pub events_share: u32,
}

/// `BILL_REQUESTS_PER_HOUR` (this product's part of BILL's limit), `BILL_SIGN_INS_PER_HOUR` (0: no
/// separate limit) and `EVENTS_SHARE` (percent).
impl FromEnvironment for HourlyLimits {
    fn read(reader: &mut EnvironmentReader) -> Option<Self> {
        let requests_per_hour = reader.optional("BILL_REQUESTS_PER_HOUR", 10_000);
        let sign_ins_per_hour = reader.optional("BILL_SIGN_INS_PER_HOUR", 0);
        let events_share = reader.optional("EVENTS_SHARE", 50);

        Some(Self {
            requests_per_hour: requests_per_hour?,
            sign_ins_per_hour: Some(sign_ins_per_hour?).filter(|limit| *limit > 0),
            events_share: events_share?,
        })
    }
}

impl HourlyLimits {
    /// The condition under which an hour has room for an amount, with its values; `None` when no
    /// hour has.
    pub(super) fn room_condition(
        &self,
        share: BudgetShare,
        amount: BudgetAmount,
    ) -> Option<(String, Vec<(&'static str, AttributeValue)>)> {
        let Self {
            requests_per_hour,
            sign_ins_per_hour,
            ..
        } = *self;
        let (requests, sign_ins) = share.attributes();
        let counts = [
            ("#requests", ":room", requests_per_hour),
            (requests, ":share_room", self.part(requests_per_hour, share)),
        ];
        let sign_in_counts = sign_ins_per_hour.map(|limit| {
            [
                ("#sign_ins", ":sign_in_room", limit),
                (sign_ins, ":sign_in_share_room", self.part(limit, share)),
            ]
        });

        let mut conditions = vec!["attribute_not_exists(#closed_at)".to_owned()];
        let mut values = Vec::new();
        let counts = counts.map(|count| (count, amount.requests));
        let sign_in_counts = sign_in_counts
            .into_iter()
            .flatten()
            .map(|count| (count, amount.sign_ins));
        for ((attribute, placeholder, limit), wanted) in counts.into_iter().chain(sign_in_counts) {
            let room = limit.checked_sub(wanted)?;
            conditions.push(format!(
                "(attribute_not_exists({attribute}) OR {attribute} <= {placeholder})"
            ));
            values.push((placeholder, number(room)));
        }

        Some((conditions.join(" AND "), values))
    }

    /// The part of a limit that a share may use.
    pub(super) fn part(&self, limit: u32, share: BudgetShare) -> u32 {
        let percent = match share {
            BudgetShare::Sweep => SWEEP_SHARE,
            BudgetShare::Events => self.events_share.min(100),
            BudgetShare::Listing => LISTING_SHARE,
        };
        let part = u64::from(limit) * u64::from(percent) / 100;

        u32::try_from(part).unwrap_or(limit)
    }
}

impl BudgetShare {
    /// The update that adds an amount to the counts of the hour and of the share.
    pub(super) fn add_expression(self) -> String {
        let (requests, sign_ins) = self.attributes();
        format!(
            "ADD #requests :requests, #sign_ins :sign_ins, {requests} :requests, \
             {sign_ins} :sign_ins"
        )
    }

    /// The attributes that count the requests and the sign-ins of the share.
    pub(super) fn attributes(self) -> (&'static str, &'static str) {
        match self {
            Self::Sweep => ("#sweep_requests", "#sweep_sign_ins"),
            Self::Events => ("#events_requests", "#events_sign_ins"),
            Self::Listing => ("#listing_requests", "#listing_sign_ins"),
        }
    }
}
