//! An episode: an uninterrupted stay of an organization in one stage.

use jiff::Timestamp;

use crate::stage::{Stage, StageReason};

/// The current episode of an organization.
#[derive(Debug, Clone, Copy)]
pub(super) struct Episode {
    pub stage: Stage,
    /// Why the organization is in the stage at this sync. May change during an episode.
    pub reason: StageReason,
    /// When the organization entered the stage: `as_of` of the sync that first found it there.
    pub since: Timestamp,
}
