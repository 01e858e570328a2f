//! When an organization is synced next.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{episode::Episode, steps::due_at};
use crate::{
    campaign::{Campaign, StepId},
    facts::Facts,
    organization::StepRecord,
    rules::Rules,
    stage::{DORMANCY_THRESHOLDS, Stage},
    time::{ceil_to_second, saturating_add},
};

/// The earliest of: the time at which the next step becomes due, the time at which the last payment
/// reaches the next dormancy threshold, and the end of the stage's cadence. Always later than
/// `facts.as_of`.
///
/// Step and threshold times are rounded up to whole seconds: the tables store whole seconds, and at
/// `next_check_at` the threshold must have been reached.
pub(super) fn next_check_at(
    episode: &Episode,
    campaign: Option<&Campaign>,
    steps: &BTreeMap<StepId, StepRecord>,
    facts: &Facts,
    rules: &Rules,
) -> Timestamp {
    let as_of = facts.as_of;
    let next_steps = campaign
        .iter()
        .flat_map(|campaign| &campaign.steps)
        .filter_map(|step| due_at(step, steps.get(&step.id), episode.since));
    let thresholds = facts
        .last_payment_at
        .filter(|_| episode.stage != Stage::Closed)
        .into_iter()
        .flat_map(|paid_at| {
            DORMANCY_THRESHOLDS.map(|threshold| saturating_add(paid_at, threshold))
        });
    let cadence_end = saturating_add(as_of, rules.cadences.for_stage(episode.stage));

    next_steps
        .chain(thresholds)
        .filter(|time| *time > as_of)
        .map(ceil_to_second)
        .fold(cadence_end, Ord::min)
}
