//! Campaigns: which sets of campaigns are rejected, and why.

use engagement::{Campaign, CampaignError, CampaignId, Campaigns, Category, Stage, StepId};
use jiff::SignedDuration;
use rstest::rstest;
use strum::IntoEnumIterator;

use crate::support::{NANOSECOND, campaign, days, hours, repeating_step, step};

#[test]
fn every_stage_but_closed_can_have_a_campaign() {
    let campaigns = Stage::iter()
        .filter(|stage| *stage != Stage::Closed)
        .map(|stage| {
            campaign(
                stage,
                [
                    step(&format!("{stage}-one"), days(0)),
                    step(&format!("{stage}-two"), days(1)),
                ],
            )
        });
    let campaigns = Campaigns::new(campaigns).unwrap();

    assert_eq!(campaigns.iter().count(), 8);
    for stage in Stage::iter() {
        assert_eq!(
            campaigns.for_stage(stage).map(|campaign| campaign.stage),
            (stage != Stage::Closed).then_some(stage)
        );
    }
}

#[test]
fn empty_set_and_campaigns_without_steps_are_accepted() {
    assert_eq!(Campaigns::new([]).unwrap(), Campaigns::default());
    assert!(Campaigns::new([campaign(Stage::Active, [])]).is_ok());
}

#[test]
fn campaign_for_the_closed_stage_is_rejected() {
    let error = campaign_error([
        campaign(Stage::Active, [step("a", days(0))]),
        campaign(Stage::Closed, []),
    ]);
    assert_eq!(
        error,
        CampaignError::CampaignForClosedStage(CampaignId::new("closed-campaign"))
    );
}

#[test]
fn second_campaign_for_a_stage_is_rejected() {
    let other = Campaign {
        id: CampaignId::new("other"),
        ..campaign(Stage::Active, [step("b", days(0))])
    };
    let error = campaign_error([campaign(Stage::Active, [step("a", days(0))]), other]);

    assert_eq!(
        error,
        CampaignError::DuplicateStage(
            CampaignId::new("active-campaign"),
            CampaignId::new("other"),
            Stage::Active
        )
    );
    assert_eq!(
        error.to_string(),
        "campaigns active-campaign and other are both for stage active"
    );
}

#[test]
fn duplicate_step_name_across_campaigns_is_rejected() {
    let twice = CampaignError::DuplicateStep(StepId::new("a"));

    assert_eq!(
        campaign_error([campaign(
            Stage::Active,
            [step("a", days(0)), step("a", days(1))]
        )]),
        twice
    );
    assert_eq!(
        campaign_error([
            campaign(Stage::Active, [step("a", days(0))]),
            campaign(Stage::Dormant30, [step("a", days(0))])
        ]),
        twice
    );
}

#[rstest]
#[case("")]
#[case("Welcome")]
#[case("welcome back")]
#[case("welcome#1")]
#[case("welcome.1")]
#[case("willkommen-zurück")]
fn step_name_with_invalid_characters_is_rejected(#[case] name: &str) {
    let error = campaign_error([campaign(Stage::Active, [step(name, days(0))])]);
    assert_eq!(error, CampaignError::InvalidStepName(StepId::new(name)));
}

#[test]
fn step_name_accepts_letters_digits_dashes_and_underscores() {
    assert!(Campaigns::new([campaign(Stage::Active, [step("welcome-back_2", days(0))])]).is_ok());
}

#[rstest]
#[case::at_the_same_time(days(3), days(3))]
#[case::earlier(days(3), days(3) - NANOSECOND)]
fn steps_out_of_order_are_rejected(#[case] one: SignedDuration, #[case] two: SignedDuration) {
    let error = campaign_error([campaign(
        Stage::Active,
        [step("zero", days(0)), step("one", one), step("two", two)],
    )]);
    assert_eq!(error, CampaignError::StepsOutOfOrder(StepId::new("two")));
}

#[test]
fn negative_step_delay_is_rejected() {
    let error = campaign_error([campaign(Stage::Active, [step("early", -NANOSECOND)])]);
    assert_eq!(error, CampaignError::NegativeAfter(StepId::new("early")));
}

#[rstest]
#[case::at_once(SignedDuration::ZERO, true)]
#[case::negative(-days(1), true)]
#[case::less_than_a_day(hours(24) - NANOSECOND, true)]
#[case::a_day(hours(24), false)]
#[case::a_year(days(365), false)]
fn repeat_after_shorter_than_one_day_is_rejected(
    #[case] repeat_after: SignedDuration,
    #[case] too_soon: bool,
) {
    let result = Campaigns::new([campaign(
        Stage::Active,
        [repeating_step("tip", days(0), repeat_after)],
    )]);
    assert_eq!(
        result.err(),
        too_soon.then(|| CampaignError::RepeatTooSoon(StepId::new("tip")))
    );
}

#[test]
fn campaigns_iterate_in_stage_order() {
    let campaigns = Campaigns::new([
        campaign(Stage::Dormant90, []),
        campaign(Stage::Enrolling, []),
        campaign(Stage::Active, []),
    ])
    .unwrap();
    let stages: Vec<Stage> = campaigns.iter().map(|campaign| campaign.stage).collect();

    assert_eq!(stages, [Stage::Enrolling, Stage::Active, Stage::Dormant90]);
}

#[rstest]
#[case(Category::Onboarding, "onboarding")]
#[case(Category::Reengagement, "reengagement")]
#[case(Category::Product, "product")]
fn category_name_is_the_same_in_display_parse_and_serde(
    #[case] category: Category,
    #[case] name: &str,
) {
    assert_eq!(category.to_string(), name);
    assert_eq!(name.parse(), Ok(category));
    assert_eq!(serde_json::to_value(category).unwrap(), name);
}

fn campaign_error<const N: usize>(campaigns: [Campaign; N]) -> CampaignError {
    Campaigns::new(campaigns).unwrap_err()
}
