//! The format of `campaign.toml`.

use engagement::{Campaign, CampaignId, Category, Role, Stage, Step, StepId};
use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde::Deserialize;

/// `campaign.toml`. The name of its folder is the stage of the campaign.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CampaignFile {
    category: Category,
    priority: u8,
    #[serde(default = "default_audience")]
    audience: Vec<RoleName>,
    max_recipients: Option<MaxRecipients>,
    #[serde(default)]
    steps: Vec<StepEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepEntry {
    id: String,
    after: ConfigDuration,
    repeat_after: Option<ConfigDuration>,
}

impl CampaignFile {
    pub(crate) fn into_campaign(self, stage: Stage) -> Campaign {
        Campaign {
            id: CampaignId::new(stage.to_string()),
            stage,
            category: self.category,
            audience: self
                .audience
                .into_iter()
                .map(|RoleName(role)| role)
                .collect(),
            max_recipients: self
                .max_recipients
                .map_or(Campaign::DEFAULT_MAX_RECIPIENTS, |MaxRecipients(number)| {
                    number
                }),
            priority: self.priority,
            steps: self.steps.into_iter().map(StepEntry::into_step).collect(),
        }
    }
}

impl StepEntry {
    fn into_step(self) -> Step {
        Step {
            id: StepId::new(self.id),
            after: self.after.0,
            repeat_after: self.repeat_after.map(|ConfigDuration(after)| after),
        }
    }
}

fn default_audience() -> Vec<RoleName> {
    vec![RoleName(Role::Administrator)]
}

/// Maximum number of recipients in one organization. The limit keeps the notices of a sync far
/// below the size of one DynamoDB transaction, which has room for 98 notices.
#[derive(Deserialize)]
#[serde(try_from = "u8")]
struct MaxRecipients(usize);

impl TryFrom<u8> for MaxRecipients {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        if (1..=20).contains(&number) {
            Ok(Self(usize::from(number)))
        } else {
            Err(format!("{number} is not a number from 1 to 20"))
        }
    }
}

/// A role as BILL writes it, such as `ADMINISTRATOR`.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct RoleName(Role);

impl TryFrom<String> for RoleName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.parse() {
            Ok(Role::Undefined) | Err(_) => Err(format!(
                "{text:?} is not a role of BILL such as \"ADMINISTRATOR\""
            )),
            Ok(role) => Ok(Self(role)),
        }
    }
}

/// A duration such as `3d`, `36h` or `2w`. A day has 24 hours.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct ConfigDuration(SignedDuration);

impl TryFrom<String> for ConfigDuration {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse::<Span>()
            .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
            .map(Self)
            .map_err(|error| {
                format!("{text:?} is not a duration such as \"3d\" or \"36h\": {error}")
            })
    }
}
