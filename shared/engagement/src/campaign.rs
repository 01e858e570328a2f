//! Campaigns: which e-mails a stage has, when each becomes due and who gets it.

use std::fmt;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::{snapshot::Role, stage::Stage};

/// The e-mails of one stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Campaign {
    /// Name of the campaign and of its folder.
    pub id: CampaignId,
    /// The stage whose organizations get the e-mails.
    pub stage: Stage,
    /// What a recipient can unsubscribe from.
    pub category: Category,
    /// Roles of the users who get the e-mails.
    pub audience: Vec<Role>,
    /// Maximum number of recipients of one step.
    pub max_recipients: usize,
    /// Notices of a campaign with a higher priority are sent first.
    pub priority: u8,
    /// The steps, in the order of [`Step::after`].
    pub steps: Vec<Step>,
}

impl Campaign {
    /// Value of `max_recipients` for campaigns that do not set it.
    pub const DEFAULT_MAX_RECIPIENTS: usize = 3;
}

/// One e-mail of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Name of the step, unique among the steps of all campaigns.
    pub id: StepId,
    /// Time from the start of the stage until the step becomes due.
    pub after: SignedDuration,
    /// Time from one occurrence of the step until it may be planned again. `None`: the step is
    /// planned once for each organization.
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
    /// What to do before the first payment.
    Onboarding,
    /// Reminders after a period without payments.
    Reengagement,
    /// Tips for customers who pay.
    Product,
}

macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the name as written in the campaign files, without validation.
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

string_id! {
    /// Name of a campaign.
    CampaignId
}

string_id! {
    /// Name of a step.
    StepId
}
