//! The send policy: what the partner configures about sending.

use jiff::{SignedDuration, Timestamp};

use crate::{
    frequency_caps::FrequencyCaps, holdout::Holdout, notice::Notice, send_window::SendWindow,
};

/// What the partner configures about sending.
#[derive(Debug, Clone, PartialEq)]
pub struct SendPolicy {
    /// When a notice is too old to be sent.
    pub expiry: Expiry,
    /// How many e-mails an address may get.
    pub caps: FrequencyCaps,
    /// On which days and at which hours e-mails are sent.
    pub window: SendWindow,
    /// The control group, which gets no e-mails.
    pub holdout: Holdout,
    /// Decide, but send nothing.
    pub dry_run: bool,
}

/// When a notice is too old to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// Maximum time after `due_at`.
    pub after_due: SignedDuration,
    /// Maximum time after `planned_at`, no matter how often the notice was deferred.
    pub after_planned: SignedDuration,
}

impl Default for Expiry {
    fn default() -> Self {
        Self {
            after_due: SignedDuration::from_hours(72),
            after_planned: SignedDuration::from_hours(14 * 24),
        }
    }
}

impl Expiry {
    pub(crate) fn has_expired(&self, notice: &Notice, as_of: Timestamp) -> bool {
        let exceeds = |time: Timestamp, limit: SignedDuration| as_of.duration_since(time) > limit;
        exceeds(notice.due_at, self.after_due) || exceeds(notice.planned_at, self.after_planned)
    }
}
