//! The decision of one sync: the new record of the organization, the stage transition, the notices
//! to write, and the time of the next sync.

mod episode;
mod loss;
mod next_check;
mod recipients;
mod steps;

use std::collections::BTreeMap;

use jiff::Timestamp;

use self::{
    episode::Episode, loss::unconfirmed_loss, next_check::next_check_at,
    recipients::select_recipients, steps::take_due_step,
};
use crate::{
    campaign::{Campaign, StepId},
    identity::OrganizationId,
    notice::PlannedNotice,
    organization::{Organization, StepOutcome, StepRecord, Transition},
    rules::Rules,
    snapshot::{BankStatus, Snapshot},
    stage::classify,
};

/// The outcome of one sync. The caller writes it in one transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The new record.
    pub organization: Organization,
    /// The transition to the new stage, if the stage changed.
    pub transition: Option<Transition>,
    /// The notices of the step that became due, one for each recipient.
    pub notices: Vec<PlannedNotice>,
}

/// Decides what `snapshot`, read at `as_of`, means for an organization whose stored record is
/// `previous`.
///
/// Deterministic. A second call with the new record and the same snapshot plans no notice.
///
/// A snapshot that shows less than the record may be a fault of BILL. It changes no stage and plans
/// no notice until a sync at least four hours later sees it again.
///
/// `as_of` must be later than `previous.checked_at`: the caller must not let an older snapshot
/// overwrite a newer one.
pub fn decide(
    id: &OrganizationId,
    previous: Option<&Organization>,
    snapshot: &Snapshot,
    rules: &Rules,
    as_of: Timestamp,
) -> Decision {
    if let Some(organization) = unconfirmed_loss(previous, snapshot, as_of) {
        return Decision {
            organization,
            transition: None,
            notices: Vec::new(),
        };
    }

    let (stage, reason) = classify(snapshot, as_of);
    let same_stage = previous.filter(|previous| previous.stage == stage);
    let episode = Episode {
        stage,
        reason,
        since: same_stage.map_or(as_of, |previous| previous.stage_since),
    };
    let campaign = rules.campaigns.for_stage(stage);

    let mut steps = previous
        .map(|previous| previous.steps.clone())
        .unwrap_or_default();
    let notices = campaign
        .map(|campaign| plan_notices(id, campaign, &mut steps, snapshot, &episode, as_of))
        .unwrap_or_default();
    let next_check_at = next_check_at(&episode, campaign, &steps, snapshot, rules, as_of);

    Decision {
        organization: record(
            id,
            previous,
            snapshot,
            &episode,
            steps,
            next_check_at,
            as_of,
        ),
        transition: same_stage.is_none().then(|| Transition {
            organization_id: id.clone(),
            at: as_of,
            from: previous.map(|previous| previous.stage),
            to: stage,
            reason,
        }),
        notices,
    }
}

/// Plans the due step of the campaign for its recipients and records the outcome in `steps`.
fn plan_notices(
    id: &OrganizationId,
    campaign: &Campaign,
    steps: &mut BTreeMap<StepId, StepRecord>,
    snapshot: &Snapshot,
    episode: &Episode,
    as_of: Timestamp,
) -> Vec<PlannedNotice> {
    let Some(occurrence) = take_due_step(campaign, steps, episode.since, as_of) else {
        return Vec::new();
    };
    let recipients = select_recipients(campaign, snapshot);
    if recipients.is_empty() {
        let no_recipient = StepRecord {
            at: as_of,
            outcome: StepOutcome::NoRecipient,
        };
        steps.insert(occurrence.step.id.clone(), no_recipient);
    }

    recipients
        .into_iter()
        .map(|recipient| PlannedNotice {
            organization_id: id.clone(),
            organization_name: snapshot.name.clone(),
            campaign: campaign.id.clone(),
            step: occurrence.step.id.clone(),
            category: campaign.category,
            priority: campaign.priority,
            stage: episode.stage,
            stage_reason: episode.reason,
            stage_since: episode.since,
            since: occurrence.since,
            recipient,
            planned_at: as_of,
            due_at: as_of,
        })
        .collect()
}

fn record(
    id: &OrganizationId,
    previous: Option<&Organization>,
    snapshot: &Snapshot,
    episode: &Episode,
    steps: BTreeMap<StepId, StepRecord>,
    next_check_at: Timestamp,
    as_of: Timestamp,
) -> Organization {
    let bank_statuses: Vec<&BankStatus> = snapshot.connected_bank_statuses(as_of).collect();
    let verified = bank_statuses.iter().filter(|status| status.is_verified());
    let unarchived_users = snapshot.users.iter().filter(|user| !user.archived);
    let contacts = snapshot
        .sign_in_candidates()
        .into_iter()
        .take(Organization::MAX_CONTACTS)
        .map(|user| user.id.clone())
        .collect();

    Organization {
        organization_id: id.clone(),
        name: snapshot.name.clone(),
        stage: episode.stage,
        stage_reason: episode.reason,
        stage_since: episode.since,
        checked_at: as_of,
        next_check_at,
        archived: snapshot.archived,
        listed_at: snapshot.listed_at,
        created_at: snapshot.created_at,
        bank_accounts: saturating_u32(bank_statuses.len()),
        verified_bank_accounts: saturating_u32(verified.count()),
        last_payment_at: snapshot.payments.last_payment_at(),
        payments_30d: snapshot.payments.payments_30d(),
        payments_90d: snapshot.payments.payments_90d(),
        amount_30d: snapshot.payments.amount_30d(),
        users: saturating_u32(unarchived_users.count()),
        contacts,
        steps,
        loss_seen_at: None,
        version: previous
            .map_or(0, |previous| previous.version)
            .saturating_add(1),
    }
}

fn saturating_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
