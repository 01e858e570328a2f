//! Which step of a campaign is due, and when a step becomes due.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    campaign::{Campaign, Step, StepId},
    organization::{StepOutcome, StepRecord},
    time::saturating_add,
};

/// One occurrence of a step that is due. A step that repeats has one occurrence for each repeat.
pub(super) struct Occurrence<'a> {
    pub step: &'a Step,
    /// When this occurrence became possible: the start of the stage, or the end of `repeat_after`
    /// since the previous occurrence. Part of the notice key.
    pub since: Timestamp,
}

/// Returns the latest due step and records it in `steps` as planned. Earlier due steps are recorded
/// as passed over.
pub(super) fn take_due_step<'a>(
    campaign: &'a Campaign,
    steps: &mut BTreeMap<StepId, StepRecord>,
    stage_since: Timestamp,
    as_of: Timestamp,
) -> Option<Occurrence<'a>> {
    let mut latest: Option<Occurrence<'a>> = None;
    for step in &campaign.steps {
        let step_record = steps.get(&step.id);
        if due_at(step, step_record, stage_since).is_none_or(|due_at| due_at > as_of) {
            continue;
        }

        let since = step_record
            .zip(step.repeat_after)
            .map_or(stage_since, |(step_record, repeat)| {
                saturating_add(step_record.at, repeat).max(stage_since)
            });
        let mut record_outcome = |step: &Step, outcome| {
            steps.insert(step.id.clone(), StepRecord { at: as_of, outcome });
        };
        record_outcome(step, StepOutcome::Planned);
        if let Some(earlier) = latest.replace(Occurrence { step, since }) {
            record_outcome(earlier.step, StepOutcome::PassedOver);
        }
    }
    latest
}

/// When a step becomes due, given the record of its previous occurrence. `None`: never, either
/// because the step does not repeat or because the time is beyond [`Timestamp::MAX`].
pub(super) fn due_at(
    step: &Step,
    step_record: Option<&StepRecord>,
    stage_since: Timestamp,
) -> Option<Timestamp> {
    let due_at = stage_since.checked_add(step.after).ok()?;
    match (step_record, step.repeat_after) {
        (None, _) => Some(due_at),
        (Some(step_record), Some(repeat)) => step_record
            .at
            .checked_add(repeat)
            .ok()
            .map(|allowed_at| allowed_at.max(due_at)),
        (Some(_), None) => None,
    }
}
