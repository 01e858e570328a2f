//! The set of all campaigns, validated as a whole.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use crate::{
    campaign::{Campaign, CampaignId, Step, StepId},
    stage::Stage,
};

/// Shortest [`Step::repeat_after`].
const MIN_REPEAT_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// All campaigns: at most one for each stage, none for [`Stage::Closed`], each step name once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Campaigns(BTreeMap<Stage, Campaign>);

/// The campaigns are not valid, or not valid together. Somebody has to correct the campaign files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CampaignError {
    /// Two campaigns for one stage.
    #[error("campaigns {0} and {1} are both for stage {2}")]
    DuplicateStage(CampaignId, CampaignId, Stage),
    /// A campaign for [`Stage::Closed`], whose organizations get no e-mail.
    #[error("campaign {0} is for stage closed, whose organizations get no e-mails")]
    CampaignForClosedStage(CampaignId),
    /// Two steps with the same name, in one campaign or in two.
    #[error("step {0} exists twice")]
    DuplicateStep(StepId),
    /// A name that cannot be part of a notice key.
    #[error("step {0:?} needs a name of lower-case letters, digits, '-' and '_'")]
    InvalidStepName(StepId),
    /// Steps that are not in the order of [`Step::after`].
    #[error("step {0} becomes due no later than the step before it")]
    StepsOutOfOrder(StepId),
    /// A step that becomes due before its stage starts.
    #[error("step {0} has a negative time")]
    NegativeAfter(StepId),
    /// A step that repeats within a day.
    #[error("step {0} repeats sooner than after one day")]
    RepeatTooSoon(StepId),
}

impl Campaigns {
    /// Validates the campaigns.
    pub fn new(campaigns: impl IntoIterator<Item = Campaign>) -> Result<Self, CampaignError> {
        let mut by_stage = BTreeMap::<Stage, Campaign>::new();
        let mut step_names = BTreeSet::new();
        for campaign in campaigns {
            if campaign.stage == Stage::Closed {
                return Err(CampaignError::CampaignForClosedStage(campaign.id));
            }
            validate_steps(&campaign.steps, &mut step_names)?;
            if let Some(other) = by_stage.get(&campaign.stage) {
                return Err(CampaignError::DuplicateStage(
                    other.id.clone(),
                    campaign.id,
                    campaign.stage,
                ));
            }
            by_stage.insert(campaign.stage, campaign);
        }
        Ok(Self(by_stage))
    }

    /// The campaign of a stage.
    pub fn for_stage(&self, stage: Stage) -> Option<&Campaign> {
        self.0.get(&stage)
    }

    /// All campaigns, in the order of their stages.
    pub fn iter(&self) -> impl Iterator<Item = &Campaign> {
        self.0.values()
    }
}

/// Validates the steps of one campaign. Adds their names to `step_names`, which contains the names
/// of the campaigns before.
fn validate_steps(steps: &[Step], step_names: &mut BTreeSet<StepId>) -> Result<(), CampaignError> {
    for step in steps {
        validate_step(step)?;
        if !step_names.insert(step.id.clone()) {
            return Err(CampaignError::DuplicateStep(step.id.clone()));
        }
    }
    match steps.windows(2).find(|pair| pair[0].after >= pair[1].after) {
        Some(pair) => Err(CampaignError::StepsOutOfOrder(pair[1].id.clone())),
        None => Ok(()),
    }
}

fn validate_step(step: &Step) -> Result<(), CampaignError> {
    let name = step.id.as_str();
    let is_allowed = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_'
    };
    if name.is_empty() || !name.bytes().all(is_allowed) {
        Err(CampaignError::InvalidStepName(step.id.clone()))
    } else if step.after.is_negative() {
        Err(CampaignError::NegativeAfter(step.id.clone()))
    } else if step
        .repeat_after
        .is_some_and(|repeat| repeat < MIN_REPEAT_AFTER)
    {
        Err(CampaignError::RepeatTooSoon(step.id.clone()))
    } else {
        Ok(())
    }
}
