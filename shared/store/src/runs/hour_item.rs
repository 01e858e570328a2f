//! What has been counted in one hour, and what is left of it.

use jiff::Timestamp;
use serde::Deserialize;

use super::hourly_limits::{BudgetAmount, BudgetShare, HourlyLimits};

/// The item of one hour.
#[derive(Debug, Default, Deserialize)]
pub(super) struct HourItem {
    #[serde(default)]
    requests: u64,
    #[serde(default)]
    sign_ins: u64,
    #[serde(default)]
    sweep_requests: u64,
    #[serde(default)]
    sweep_sign_ins: u64,
    #[serde(default)]
    events_requests: u64,
    #[serde(default)]
    events_sign_ins: u64,
    #[serde(default)]
    listing_requests: u64,
    #[serde(default)]
    listing_sign_ins: u64,
    #[serde(default)]
    closed_at: Option<Timestamp>,
}

impl HourItem {
    /// What a share has left of an hour.
    pub(super) fn left(&self, limits: &HourlyLimits, share: BudgetShare) -> BudgetAmount {
        if self.closed_at.is_some() {
            return BudgetAmount::default();
        }

        let (requests, sign_ins) = match share {
            BudgetShare::Sweep => (self.sweep_requests, self.sweep_sign_ins),
            BudgetShare::Events => (self.events_requests, self.events_sign_ins),
            BudgetShare::Listing => (self.listing_requests, self.listing_sign_ins),
        };
        let subtract =
            |limit: u32, used: u64| limit.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX));
        let left = |limit: u32, used: u64, used_by_share: u64| {
            subtract(limit, used).min(subtract(limits.part(limit, share), used_by_share))
        };

        BudgetAmount {
            requests: left(limits.requests_per_hour, self.requests, requests),
            sign_ins: limits
                .sign_ins_per_hour
                .map_or(u32::MAX, |limit| left(limit, self.sign_ins, sign_ins)),
        }
    }
}
