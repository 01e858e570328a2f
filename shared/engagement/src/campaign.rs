//! Campaigns: which messages a stage has, when each becomes due and who gets it.

use std::{collections::BTreeMap, fmt};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::{signals::Role, stage::Stage};

/// Everything `decide` is parameterized with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules {
    /// The campaigns, at most one for each stage.
    pub campaigns: Campaigns,
    /// How often each stage is looked at.
    pub cadences: Cadences,
}

/// The messages of one stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Campaign {
    /// Name of the campaign and of its folder.
    pub id: CampaignId,
    /// The stage it belongs to.
    pub stage: Stage,
    /// What a recipient can unsubscribe from.
    pub category: Category,
    /// Roles of the users it addresses.
    pub audience: Vec<Role>,
    /// Recipients of one step at most.
    pub max_recipients: usize,
    /// Which campaign goes first when not everything can be sent: higher first.
    pub priority: u8,
    /// The steps, the earliest first.
    pub steps: Vec<Step>,
}

impl Campaign {
    /// Recipients of one step where the campaign says nothing else.
    pub const DEFAULT_MAX_RECIPIENTS: usize = 3;
}

/// One message of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Name of the step: unique among the steps of all campaigns.
    pub id: StepId,
    /// How long after the beginning of the stage the step becomes due.
    pub after: SignedDuration,
    /// How long after it was planned the step may be planned again. `None`: once for each
    /// organization.
    pub repeat_after: Option<SignedDuration>,
}

/// What a recipient can unsubscribe from.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Category {
    /// Steps to the first payment.
    Onboarding,
    /// Reminders after a time without payments.
    Reengagement,
    /// Tips for those who pay.
    Product,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the name as written in the campaign files.
            pub fn new(name: impl Into<String>) -> Self {
                Self(name.into())
            }

            /// The name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

name! {
    /// Name of a campaign.
    CampaignId
}

name! {
    /// Name of a step.
    StepId
}

/// Campaigns that make no sense together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CampaignError {
    /// Two campaigns for one stage.
    #[error("campaigns {0} and {1} are both for stage {2}")]
    DuplicateStage(CampaignId, CampaignId, Stage),
    /// `closed` has no campaign, ever.
    #[error("campaign {0} is for stage closed, whose organizations are never written to")]
    Closed(CampaignId),
    /// Two steps of one name, in one campaign or in two.
    #[error("step {0} exists twice")]
    DuplicateStep(StepId),
    /// A name that cannot be part of a key.
    #[error("step {0:?} needs a name of lower-case letters, digits, '-' and '_'")]
    InvalidStepName(StepId),
    /// Steps that are not in the order of `after`.
    #[error("step {0} becomes due no later than the step before it")]
    Order(StepId),
    /// A step that would become due before its stage begins.
    #[error("step {0} has a negative time")]
    NegativeAfter(StepId),
    /// A step that could be planned again at once.
    #[error("step {0} repeats sooner than after one day")]
    RepeatTooSoon(StepId),
}

/// Campaigns that were checked together: at most one for each stage, none for `closed`, each step
/// name once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Campaigns(BTreeMap<Stage, Campaign>);

impl Campaigns {
    /// Checks the campaigns against each other.
    pub fn new(campaigns: impl IntoIterator<Item = Campaign>) -> Result<Self, CampaignError> {
        let mut by_stage = BTreeMap::<Stage, Campaign>::new();
        let mut names = std::collections::BTreeSet::new();
        for campaign in campaigns {
            if campaign.stage == Stage::Closed {
                return Err(CampaignError::Closed(campaign.id));
            }
            for step in &campaign.steps {
                validate_step(step)?;
                if !names.insert(step.id.clone()) {
                    return Err(CampaignError::DuplicateStep(step.id.clone()));
                }
            }
            if let Some(pair) = campaign
                .steps
                .windows(2)
                .find(|pair| pair[0].after >= pair[1].after)
            {
                return Err(CampaignError::Order(pair[1].id.clone()));
            }
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

fn validate_step(step: &Step) -> Result<(), CampaignError> {
    let name = step.id.as_str();
    let plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_'
    };
    if name.is_empty() || !name.bytes().all(plain) {
        Err(CampaignError::InvalidStepName(step.id.clone()))
    } else if step.after.is_negative() {
        Err(CampaignError::NegativeAfter(step.id.clone()))
    } else if step
        .repeat_after
        .is_some_and(|repeat| repeat < SignedDuration::from_hours(24))
    {
        Err(CampaignError::RepeatTooSoon(step.id.clone()))
    } else {
        Ok(())
    }
}

/// How long after a check an organization is looked at again at the latest, for each kind of stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cadences {
    /// `enrolling`, `no_bank_account`, `bank_unverified`, `awaiting_first_payment`.
    pub onboarding: SignedDuration,
    /// `active`.
    pub active: SignedDuration,
    /// `dormant_30`, `dormant_60`, `dormant_90`.
    pub dormant: SignedDuration,
    /// `closed`.
    pub closed: SignedDuration,
}

impl Default for Cadences {
    fn default() -> Self {
        const DAY: i64 = 24;
        Self {
            onboarding: SignedDuration::from_hours(DAY),
            active: SignedDuration::from_hours(7 * DAY),
            dormant: SignedDuration::from_hours(3 * DAY),
            closed: SignedDuration::from_hours(30 * DAY),
        }
    }
}

impl Cadences {
    /// The cadence of a stage: at least one second, whatever was configured, so that the next check
    /// is always later.
    pub fn of(&self, stage: Stage) -> SignedDuration {
        let cadence = match stage {
            Stage::Enrolling
            | Stage::NoBankAccount
            | Stage::BankUnverified
            | Stage::AwaitingFirstPayment => self.onboarding,
            Stage::Active => self.active,
            Stage::Dormant30 | Stage::Dormant60 | Stage::Dormant90 => self.dormant,
            Stage::Closed => self.closed,
        };
        cadence.max(SignedDuration::from_secs(1))
    }
}
