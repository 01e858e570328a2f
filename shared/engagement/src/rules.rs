//! The parameters of [`decide`](crate::decide).

use jiff::SignedDuration;

use crate::{campaign_set::Campaigns, stage::Stage};

/// Shortest cadence, so that the next sync is always later than the current one.
const MIN_CADENCE: SignedDuration = SignedDuration::from_secs(1);

/// Everything that decisions depend on besides the organization.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules {
    /// The campaigns, at most one for each stage.
    pub campaigns: Campaigns,
    /// How often the organizations of each stage are synced.
    pub cadences: Cadences,
}

/// Maximum time from one sync of an organization to the next, for each group of stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cadences {
    /// `enrolling`, `no_bank_account`, `bank_unverified`, `awaiting_first_payment`.
    pub onboarding: SignedDuration,
    /// `active`.
    pub active: SignedDuration,
    /// `dormant_30`, `dormant_60`, `dormant_90`.
    pub dormant: SignedDuration,
    /// `closed`.
    pub closed: SignedDuration,
}

impl Default for Cadences {
    fn default() -> Self {
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        Self {
            onboarding: days(1),
            active: days(7),
            dormant: days(3),
            closed: days(30),
        }
    }
}

impl Cadences {
    /// The cadence of a stage: the configured one, but at least one second.
    pub fn for_stage(&self, stage: Stage) -> SignedDuration {
        let cadence = match stage {
            Stage::Enrolling
            | Stage::NoBankAccount
            | Stage::BankUnverified
            | Stage::AwaitingFirstPayment => self.onboarding,
            Stage::Active => self.active,
            Stage::Dormant30 | Stage::Dormant60 | Stage::Dormant90 => self.dormant,
            Stage::Closed => self.closed,
        };
        cadence.max(MIN_CADENCE)
    }
}
