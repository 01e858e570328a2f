//! Guards: whether a notice may go out now.

use jiff::{SignedDuration, Timestamp};

use crate::{
    notice::{Notice, Reason},
    organization::Organization,
    stage::Stage,
};

/// What a guard says about a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may go out.
    Send,
    /// It will never go out.
    Skip(Reason),
    /// It stays due; the reason is written to it and nothing is sent.
    Hold(Reason),
}

/// What the guards look at besides the notice.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances {
    /// The moment of the decision.
    pub as_of: Timestamp,
    /// Where the organization stands now; `None` when nothing is known of it any more.
    pub standing: Option<Standing>,
    /// When a notice is too old.
    pub expiry: Expiry,
    /// Decide, and send nothing.
    pub dry_run: bool,
}

/// An organization's present episode: its stage and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The stage.
    pub stage: Stage,
    /// Its beginning.
    pub since: Timestamp,
}

impl From<&Organization> for Standing {
    fn from(organization: &Organization) -> Self {
        Self { stage: organization.stage, since: organization.stage_since }
    }
}

/// When a notice is too old to be of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// Time past `due_at`.
    pub after_due: SignedDuration,
    /// Time past `planned_at`, however often it was put off.
    pub after_planned: SignedDuration,
}

impl Default for Expiry {
    fn default() -> Self {
        Self { after_due: SignedDuration::from_hours(72), after_planned: SignedDuration::from_hours(14 * 24) }
    }
}

/// Asks the guards in their order; the first that objects decides.
pub fn guard(notice: &Notice, circumstances: &Circumstances) -> Verdict {
    let Circumstances { as_of, standing, expiry, dry_run } = *circumstances;
    let past = |moment: Timestamp, limit: SignedDuration| as_of.duration_since(moment) > limit;
    if past(notice.due_at, expiry.after_due) || past(notice.planned_at, expiry.after_planned) {
        return Verdict::Skip(Reason::Expired);
    }
    if standing != Some(Standing { stage: notice.stage, since: notice.stage_since }) {
        return Verdict::Skip(Reason::StateChanged);
    }
    if dry_run {
        return Verdict::Hold(Reason::DryRun);
    }
    Verdict::Send
}
