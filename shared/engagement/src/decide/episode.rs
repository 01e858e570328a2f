//! An episode: an uninterrupted stay of an organization in one stage.

use jiff::Timestamp;

use crate::{
    facts::Facts,
    organization::Organization,
    stage::{Stage, StageReason, classify_facts},
};

/// The current episode of an organization.
#[derive(Debug, Clone, Copy)]
pub(super) struct Episode {
    pub stage: Stage,
    /// Why the organization is in the stage at this sync. May change during an episode.
    pub reason: StageReason,
    /// When the organization entered the stage: `as_of` of the sync that first found it there.
    pub since: Timestamp,
}

impl Episode {
    /// The episode that the facts show: that of the record, or a new one.
    pub(super) fn new(previous: Option<&Organization>, facts: &Facts) -> Self {
        let (stage, reason) = classify_facts(facts);
        let same_stage = previous.filter(|previous| previous.stage == stage);

        Self {
            stage,
            reason,
            since: same_stage.map_or(facts.as_of, |previous| previous.stage_since),
        }
    }
}
