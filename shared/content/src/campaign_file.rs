use engagement::{Campaign, CampaignId, Category, Role, Stage, Step, StepId};
use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde::Deserialize;

/// `campaign.toml`. The folder it lies in says which stage it is for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CampaignFile {
    category: Category,
    priority: u8,
    #[serde(default = "default_audience")]
    audience: Vec<RoleName>,
    max_recipients: Option<Recipients>,
    #[serde(default)]
    steps: Vec<StepEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepEntry {
    id: String,
    after: Duration,
    repeat_after: Option<Duration>,
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
                .map_or(Campaign::DEFAULT_MAX_RECIPIENTS, |Recipients(number)| {
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
            repeat_after: self.repeat_after.map(|Duration(after)| after),
        }
    }
}

fn default_audience() -> Vec<RoleName> {
    vec![RoleName(Role::Administrator)]
}

/// How many people of one organization are written to. The notices of a few steps go into one
/// transaction of DynamoDB's, which has room for 98.
#[derive(Deserialize)]
#[serde(try_from = "u8")]
struct Recipients(usize);

impl TryFrom<u8> for Recipients {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        if (1..=20).contains(&number) {
            Ok(Self(usize::from(number)))
        } else {
            Err(format!("{number} is not from 1 to 20"))
        }
    }
}

/// A role as BILL writes it, `ADMINISTRATOR` for instance.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct RoleName(Role);

impl TryFrom<String> for RoleName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.parse() {
            Ok(Role::Undefined) | Err(_) => Err(format!(
                "{text:?} is no role of BILL's, such as \"ADMINISTRATOR\""
            )),
            Ok(role) => Ok(Self(role)),
        }
    }
}

/// A length of time such as `3d`, `36h` or `2w`. A day has 24 hours here.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Duration(SignedDuration);

impl TryFrom<String> for Duration {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse::<Span>()
            .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
            .map(Self)
            .map_err(|error| {
                format!("{text:?} is no length of time such as \"3d\" or \"36h\": {error}")
            })
    }
}
