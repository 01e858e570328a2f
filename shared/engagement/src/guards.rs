//! Guards: whether the e-mail of a notice may be sent now.

use jiff::Timestamp;

use crate::{
    contact::Contact,
    notice::{Notice, NoticeReason, StoredAddress},
    organization::Organization,
    personal::EmailAddress,
    send_policy::SendPolicy,
    stage::Stage,
};

/// What the guards decide about a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// Send the e-mail to this address.
    Send(&'a EmailAddress),
    /// Never send the e-mail.
    Skip(NoticeReason),
    /// The notice becomes due again at this time.
    Defer(NoticeReason, Timestamp),
    /// The notice remains due. Nothing is sent.
    Hold(NoticeReason),
}

/// Evaluates the guards in a fixed order. The first guard that objects determines the verdict.
pub fn evaluate_guards<'a>(
    notice: &'a Notice,
    context: &GuardContext<'_>,
    policy: &SendPolicy,
) -> Verdict<'a> {
    let GuardContext {
        as_of,
        current_stage,
        contact,
        daily_limit_reached,
    } = *context;
    let planned_for = CurrentStage {
        stage: notice.stage,
        since: notice.stage_since,
    };

    if policy.expiry.has_expired(notice, as_of) {
        return Verdict::Skip(NoticeReason::Expired);
    }
    if current_stage != Some(planned_for) {
        return Verdict::Skip(NoticeReason::StateChanged);
    }
    let address = match &notice.recipient.address {
        StoredAddress::Valid(address) => address,
        StoredAddress::Invalid => return Verdict::Skip(NoticeReason::InvalidAddress),
        StoredAddress::Missing => return Verdict::Skip(NoticeReason::MissingAddress),
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
        let next_day = policy.window.next_day_opening(as_of);
        return Verdict::Defer(NoticeReason::DailyLimit, next_day);
    }
    if policy.dry_run {
        return Verdict::Hold(NoticeReason::DryRun);
    }
    Verdict::Send(address)
}

/// What the guards evaluate besides the notice and the policy.
#[derive(Debug, Clone, Copy)]
pub struct GuardContext<'a> {
    /// The time of the decision.
    pub as_of: Timestamp,
    /// The current stage of the organization. `None`: the organization has no record.
    pub current_stage: Option<CurrentStage>,
    /// The contact of the address. `None`: nothing is recorded for the address.
    pub contact: Option<&'a Contact>,
    /// Whether the stack has reached its daily send limit.
    pub daily_limit_reached: bool,
}

/// The current episode of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrentStage {
    /// The stage.
    pub stage: Stage,
    /// When the organization entered the stage.
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
