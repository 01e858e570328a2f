//! From what was seen to what is remembered, what is sent, and when to look again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::{
    campaign::{Campaign, Rules, Step, StepId},
    identity::OrganizationId,
    notice::{PlannedNotice, Recipient},
    organization::{Organization, StepOutcome, StepRecord, Transition},
    signals::{BankStatus, Snapshot, User},
    stage::{DORMANCY_THRESHOLDS, Stage, classify},
};

/// The outcome of one check, to be written in one transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The new record.
    pub organization: Organization,
    /// The stage that was entered, if the stage changed.
    pub transition: Option<Transition>,
    /// The messages of the step that became due, one for each recipient.
    pub notices: Vec<PlannedNotice>,
}

/// Decides what `signals`, observed at `as_of`, mean for an organization of which `previous` is
/// remembered.
///
/// Deterministic; deciding again with the new record plans nothing new. `as_of` has to be later
/// than `previous.checked_at`: whoever writes the decision must not let an older observation
/// overwrite a newer one.
pub fn decide(
    id: &OrganizationId,
    previous: Option<&Organization>,
    signals: &Snapshot,
    rules: &Rules,
    as_of: Timestamp,
) -> Decision {
    let (stage, stage_reason) = classify(signals, as_of);
    let episode = previous.filter(|previous| previous.stage == stage);
    let stage_since = episode.map_or(as_of, |previous| previous.stage_since);
    let campaign = rules.campaigns.for_stage(stage);

    let mut steps = previous
        .map(|previous| previous.steps.clone())
        .unwrap_or_default();
    let occurrence =
        campaign.and_then(|campaign| take_due_step(campaign, &mut steps, stage_since, as_of));
    let recipients = campaign
        .filter(|_| occurrence.is_some())
        .map(|campaign| recipients(campaign, signals))
        .unwrap_or_default();
    if let Some(occurrence) = &occurrence
        && recipients.is_empty()
    {
        steps.insert(
            occurrence.step.id.clone(),
            StepRecord {
                at: as_of,
                outcome: StepOutcome::NoRecipient,
            },
        );
    }
    let notices = campaign
        .zip(occurrence)
        .map_or_else(Vec::new, |(campaign, occurrence)| {
            recipients
                .into_iter()
                .map(|recipient| PlannedNotice {
                    organization_id: id.clone(),
                    organization_name: signals.name.clone(),
                    campaign: campaign.id.clone(),
                    step: occurrence.step.id.clone(),
                    category: campaign.category,
                    priority: campaign.priority,
                    stage,
                    stage_reason,
                    stage_since,
                    since: occurrence.since,
                    recipient,
                    planned_at: as_of,
                    due_at: as_of,
                })
                .collect()
        });

    let next_check_at = next_check_at(stage, stage_since, campaign, &steps, signals, rules, as_of);
    let banks: Vec<&BankStatus> = signals.connected_bank_statuses(as_of).collect();
    let organization = Organization {
        organization_id: id.clone(),
        name: signals.name.clone(),
        stage,
        stage_reason,
        stage_since,
        checked_at: as_of,
        next_check_at,
        created_at: signals.created_at,
        bank_accounts: count(banks.len()),
        verified_bank_accounts: count(
            banks
                .iter()
                .filter(|status| ***status == BankStatus::Verified)
                .count(),
        ),
        last_payment_at: signals.payments.newest(),
        payments_30d: signals.payments.payments_30d(),
        payments_90d: signals.payments.payments_90d(),
        amount_30d: signals.payments.amount_30d(),
        users: count(signals.users.iter().filter(|user| !user.archived).count()),
        contacts: signals
            .sign_in_candidates()
            .into_iter()
            .take(Organization::MAX_CONTACTS)
            .map(|user| user.id.clone())
            .collect(),
        steps,
        version: previous
            .map_or(0, |previous| previous.version)
            .saturating_add(1),
    };
    let transition = episode.is_none().then(|| Transition {
        organization_id: id.clone(),
        at: as_of,
        from: previous.map(|previous| previous.stage),
        to: stage,
        reason: stage_reason,
    });
    Decision {
        organization,
        transition,
        notices,
    }
}

/// A step that is due, and the moment from which this occurrence of it counts.
struct Occurrence<'a> {
    step: &'a Step,
    since: Timestamp,
}

/// Of the steps that are due, takes the latest and marks the earlier ones as passed over.
fn take_due_step<'a>(
    campaign: &'a Campaign,
    steps: &mut BTreeMap<StepId, StepRecord>,
    stage_since: Timestamp,
    as_of: Timestamp,
) -> Option<Occurrence<'a>> {
    let mut latest: Option<Occurrence<'a>> = None;
    for step in &campaign.steps {
        let mark = steps.get(&step.id);
        if due_at(step, mark, stage_since).is_none_or(|due_at| due_at > as_of) {
            continue;
        }
        let since = mark
            .zip(step.repeat_after)
            .map_or(stage_since, |(mark, repeat)| {
                plus(mark.at, repeat).max(stage_since)
            });
        steps.insert(
            step.id.clone(),
            StepRecord {
                at: as_of,
                outcome: StepOutcome::Planned,
            },
        );
        if let Some(earlier) = latest.replace(Occurrence { step, since }) {
            steps.insert(
                earlier.step.id.clone(),
                StepRecord {
                    at: as_of,
                    outcome: StepOutcome::PassedOver,
                },
            );
        }
    }
    latest
}

/// When a step becomes due, given what became of it before; `None`: never, or not before the end of
/// time.
fn due_at(step: &Step, mark: Option<&StepRecord>, stage_since: Timestamp) -> Option<Timestamp> {
    let due_at = stage_since.checked_add(step.after).ok()?;
    match (mark, step.repeat_after) {
        (None, _) => Some(due_at),
        (Some(mark), Some(repeat)) => mark
            .at
            .checked_add(repeat)
            .ok()
            .map(|allowed_at| allowed_at.max(due_at)),
        (Some(_), None) => None,
    }
}

/// Unarchived users with an address whose role is in the audience, else the oldest unarchived user
/// with an address. The oldest first, one for each address.
fn recipients(campaign: &Campaign, signals: &Snapshot) -> Vec<Recipient> {
    let mut reachable: Vec<&User> = signals
        .users
        .iter()
        .filter(|user| !user.archived && user.email.is_some())
        .collect();
    reachable.sort_by_key(|user| user.creation_order());
    let in_audience = |user: &&User| {
        user.role
            .is_some_and(|role| campaign.audience.contains(&role))
    };
    let limit = if reachable.iter().any(in_audience) {
        reachable.retain(in_audience);
        campaign.max_recipients
    } else {
        campaign.max_recipients.min(1)
    };
    let mut seen = BTreeSet::new();
    reachable
        .into_iter()
        .filter_map(|user| {
            let address = user.email.clone()?;
            seen.insert(address.canonical()).then(|| Recipient {
                user_id: user.id.clone(),
                first_name: user.first_name.clone(),
                address,
            })
        })
        .take(limit)
        .collect()
}

/// The earliest of: the next step that will become due, the moment at which the newest payment
/// reaches the next dormancy threshold, and the stage's cadence. Always later than `as_of`.
fn next_check_at(
    stage: Stage,
    stage_since: Timestamp,
    campaign: Option<&Campaign>,
    steps: &BTreeMap<StepId, StepRecord>,
    signals: &Snapshot,
    rules: &Rules,
    as_of: Timestamp,
) -> Timestamp {
    let next_steps = campaign
        .iter()
        .flat_map(|campaign| &campaign.steps)
        .filter_map(|step| due_at(step, steps.get(&step.id), stage_since));
    let newest = signals.payments.newest().filter(|_| stage != Stage::Closed);
    let thresholds = newest
        .into_iter()
        .flat_map(|newest| DORMANCY_THRESHOLDS.map(|threshold| plus(newest, threshold)));
    next_steps
        .chain(thresholds)
        .filter(|moment| *moment > as_of)
        .map(ceil_to_second)
        .fold(plus(as_of, rules.cadences.of(stage)), Ord::min)
}

/// Rounds up to a whole second: tables hold whole seconds, and a threshold must have been reached
/// when it is looked at.
fn ceil_to_second(moment: Timestamp) -> Timestamp {
    let whole = Timestamp::from_second(moment.as_second()).unwrap_or(moment);
    if whole < moment {
        plus(whole, SignedDuration::from_secs(1))
    } else {
        whole
    }
}

/// `moment + duration`; the end of time when that lies beyond it.
fn plus(moment: Timestamp, duration: SignedDuration) -> Timestamp {
    moment.saturating_add(duration).unwrap_or(Timestamp::MAX)
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
