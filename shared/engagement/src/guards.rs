//! Guards: whether a notice may go out now.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::{
    contact::{Contact, FrequencyCaps},
    identity::OrganizationId,
    notice::{Address, Notice, NoticeReason},
    organization::Organization,
    personal::EmailAddress,
    send_window::SendWindow,
    stage::Stage,
};

/// What the guards say about a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// It may go out, to this address.
    Send(&'a EmailAddress),
    /// It will never go out.
    Skip(NoticeReason),
    /// It becomes due again at that moment.
    Defer(NoticeReason, Timestamp),
    /// It stays due as it is; nothing is sent.
    Hold(NoticeReason),
}

/// Asks the guards in their order; the first that objects decides.
pub fn guard<'a>(
    notice: &'a Notice,
    circumstances: &GuardContext<'_>,
    policy: &Policy,
) -> Verdict<'a> {
    let GuardContext {
        as_of,
        current_stage,
        contact,
        daily_limit_reached,
    } = *circumstances;
    if policy.expiry.has_expired(notice, as_of) {
        return Verdict::Skip(NoticeReason::Expired);
    }
    if current_stage
        != Some(CurrentStage {
            stage: notice.stage,
            since: notice.stage_since,
        })
    {
        return Verdict::Skip(NoticeReason::StateChanged);
    }
    let address = match &notice.recipient.address {
        Address::Usable(address) => address,
        Address::Invalid => return Verdict::Skip(NoticeReason::InvalidAddress),
        Address::Missing => return Verdict::Skip(NoticeReason::MissingAddress),
    };
    if contact.is_some_and(|contact| contact.suppression().is_some()) {
        return Verdict::Skip(NoticeReason::Suppressed);
    }
    if contact.is_some_and(|contact| contact.is_unsubscribed_from(notice.category)) {
        return Verdict::Skip(NoticeReason::Unsubscribed);
    }
    if policy.holdout.contains(&notice.organization_id) {
        return Verdict::Skip(NoticeReason::Holdout);
    }
    if let Some(next_allowed_at) =
        contact.and_then(|contact| policy.caps.next_allowed_at(contact, as_of))
    {
        return Verdict::Defer(NoticeReason::Capped, next_allowed_at);
    }
    if let Some(opens_at) = policy.window.opens_at(as_of) {
        return Verdict::Defer(NoticeReason::QuietHours, opens_at);
    }
    if daily_limit_reached {
        return Verdict::Defer(
            NoticeReason::DailyLimit,
            policy.window.next_day_opening(as_of),
        );
    }
    if policy.dry_run {
        return Verdict::Hold(NoticeReason::DryRun);
    }
    Verdict::Send(address)
}

/// What the guards look at besides the notice.
#[derive(Debug, Clone, Copy)]
pub struct GuardContext<'a> {
    /// The moment of the decision.
    pub as_of: Timestamp,
    /// Where the organization stands now; `None` when nothing is known of it any more.
    pub current_stage: Option<CurrentStage>,
    /// What is known of the address; `None`: nothing.
    pub contact: Option<&'a Contact>,
    /// Whether the whole system has sent as many mails today as it may.
    pub daily_limit_reached: bool,
}

/// An organization's present episode: its stage and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrentStage {
    /// The stage.
    pub stage: Stage,
    /// Its beginning.
    pub since: Timestamp,
}

impl From<&Organization> for CurrentStage {
    fn from(organization: &Organization) -> Self {
        Self {
            stage: organization.stage,
            since: organization.stage_since,
        }
    }
}

/// What the partner has decided about sending.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// When a notice is too old.
    pub expiry: Expiry,
    /// How many mails an address may get.
    pub caps: FrequencyCaps,
    /// At which hours people are written to.
    pub window: SendWindow,
    /// Who is not written to, for comparison.
    pub holdout: Holdout,
    /// Decide, and send nothing.
    pub dry_run: bool,
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
        Self {
            after_due: SignedDuration::from_hours(72),
            after_planned: SignedDuration::from_hours(14 * 24),
        }
    }
}

impl Expiry {
    fn has_expired(&self, notice: &Notice, as_of: Timestamp) -> bool {
        let past = |moment: Timestamp, limit: SignedDuration| as_of.duration_since(moment) > limit;
        past(notice.due_at, self.after_due) || past(notice.planned_at, self.after_planned)
    }
}

/// The control group: a share of the organizations, always the same ones. Whoever is in it at some
/// share is in it at every larger one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holdout {
    percent: u8,
}

/// The text is no percentage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a whole number from 0 to 100")]
pub struct InvalidHoldout;

impl Holdout {
    /// Whether an organization is in it: by a hash of its id, the same on every machine and in
    /// every release.
    pub fn contains(self, organization: &OrganizationId) -> bool {
        let digest = Sha256::new()
            .chain_update(b"holdout/")
            .chain_update(organization.as_str().as_bytes())
            .finalize();
        let [.., a, b, c, d] = digest.0;
        u32::from_be_bytes([a, b, c, d]) % 100 < u32::from(self.percent)
    }
}

impl FromStr for Holdout {
    type Err = InvalidHoldout;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let percent = text
            .trim()
            .parse()
            .ok()
            .filter(|percent| *percent <= 100)
            .ok_or(InvalidHoldout)?;
        Ok(Self { percent })
    }
}
