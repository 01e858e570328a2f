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
    episode::Episode,
    loss::{keeps_loss_mark, unconfirmed_loss},
    next_check::next_check_at,
    recipients::select_recipients,
    steps::take_due_step,
};
use crate::{
    campaign::{Campaign, StepId},
    candidates::ranked_users,
    facts::Facts,
    identity::OrganizationId,
    notice::PlannedNotice,
    organization::{Organization, StepOutcome, StepRecord, Transition},
    rules::Rules,
    snapshot::Snapshot,
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
/// no notice until a sync at least four hours later sees it again. What the snapshot does not have
/// stays as the record says; what must be read is for [`wants`](crate::wants()) to say.
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

    let facts = Facts::new(previous, snapshot, as_of);
    let episode = Episode::new(previous, &facts);
    let campaign = rules.campaigns.for_stage(episode.stage);

    let mut steps = steps_of(previous);
    let notices = campaign
        .map(|campaign| plan_notices(id, campaign, &mut steps, snapshot, &episode, as_of))
        .unwrap_or_default();
    let next_check_at = next_check_at(&episode, campaign, &steps, &facts, rules);

    let is_same_stage = previous.is_some_and(|previous| previous.stage == episode.stage);
    Decision {
        organization: record(
            id,
            previous,
            snapshot,
            &facts,
            &episode,
            steps,
            next_check_at,
        ),
        transition: (!is_same_stage).then(|| Transition {
            organization_id: id.clone(),
            at: as_of,
            from: previous.map(|previous| previous.stage),
            to: episode.stage,
            reason: episode.reason,
        }),
        notices,
    }
}

/// Whether a snapshot shows less than the record, and is not believed yet.
pub(crate) fn is_unconfirmed_loss(
    previous: Option<&Organization>,
    snapshot: &Snapshot,
    as_of: Timestamp,
) -> bool {
    unconfirmed_loss(previous, snapshot, as_of).is_some()
}

/// Whether a decision from these facts plans a step, or passes it over.
pub(crate) fn is_step_due(previous: Option<&Organization>, facts: &Facts, rules: &Rules) -> bool {
    let episode = Episode::new(previous, facts);
    let campaign = rules.campaigns.for_stage(episode.stage);

    campaign.is_some_and(|campaign| {
        take_due_step(
            campaign,
            &mut steps_of(previous),
            episode.since,
            facts.as_of,
        )
        .is_some()
    })
}

fn steps_of(previous: Option<&Organization>) -> BTreeMap<StepId, StepRecord> {
    previous
        .map(|previous| previous.steps.clone())
        .unwrap_or_default()
}

/// Plans the due step of the campaign for its recipients and records the outcome in `steps`.
/// Without the users the step stays due.
fn plan_notices(
    id: &OrganizationId,
    campaign: &Campaign,
    steps: &mut BTreeMap<StepId, StepRecord>,
    snapshot: &Snapshot,
    episode: &Episode,
    as_of: Timestamp,
) -> Vec<PlannedNotice> {
    let Some(users) = &snapshot.users else {
        return Vec::new();
    };
    let Some(occurrence) = take_due_step(campaign, steps, episode.since, as_of) else {
        return Vec::new();
    };
    let recipients = select_recipients(campaign, users);
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
    facts: &Facts,
    episode: &Episode,
    steps: BTreeMap<StepId, StepRecord>,
    next_check_at: Timestamp,
) -> Organization {
    let mut contacts = ranked_users(previous, snapshot);
    contacts.sort_by_key(|user| {
        let is_reader = snapshot.reader.as_ref() == Some(user);
        (!is_reader, snapshot.refused.contains(user))
    });
    contacts.truncate(Organization::MAX_CONTACTS);

    Organization {
        organization_id: id.clone(),
        name: snapshot.name.clone(),
        stage: episode.stage,
        stage_reason: episode.reason,
        stage_since: episode.since,
        checked_at: facts.as_of,
        next_check_at,
        archived: facts.archived,
        listed_at: snapshot.listed_at,
        created_at: snapshot.created_at,
        bank_accounts: facts.banks.connected,
        verified_bank_accounts: facts.banks.verified,
        last_payment_at: facts.last_payment_at,
        payments_30d: facts.payments_30d,
        payments_90d: facts.payments_90d,
        amount_30d: facts.amount_30d,
        users: facts.users,
        users_read_at: match &snapshot.users {
            Some(_) => Some(facts.as_of),
            None => previous.map(Organization::users_read_at),
        },
        banks_read_at: match &snapshot.banks {
            Some(_) => Some(facts.as_of),
            None => previous.map(Organization::banks_read_at),
        },
        contacts,
        steps,
        loss_seen_at: previous
            .and_then(|previous| previous.loss_seen_at)
            .filter(|_| keeps_loss_mark(snapshot)),
        version: previous
            .map_or(0, |previous| previous.version)
            .saturating_add(1),
    }
}
