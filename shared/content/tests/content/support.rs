//! The embedded content, and notices to render.

pub(crate) mod html;

use std::sync::LazyLock;

use content::Content;
use engagement::{
    AddressHashKey, Campaign, Category, Name, Notice, PlannedNotice, Recipient, Stage, StageReason,
    Step,
};
use jiff::Timestamp;
use url::Url;

pub(crate) fn content() -> &'static Content {
    static CONTENT: LazyLock<Content> = LazyLock::new(|| Content::embedded().unwrap());
    &CONTENT
}

/// The unsubscribe URL of Marisol.
pub(crate) fn unsubscribe_url() -> &'static Url {
    static URL: LazyLock<Url> = LazyLock::new(|| {
        "https://api.northlight-ledger.example/unsubscribe/bWFyaXNvbA.c2VhbA"
            .parse()
            .unwrap()
    });
    &URL
}

/// The notice of a step, to Marisol of Kestrel Bakehouse.
pub(crate) fn notice(campaign: &Campaign, step: &Step, reason: StageReason) -> Notice {
    notice_with_names(
        campaign,
        step,
        reason,
        Some("Kestrel Bakehouse"),
        Some("Marisol"),
    )
}

pub(crate) fn notice_with_names(
    campaign: &Campaign,
    step: &Step,
    stage_reason: StageReason,
    organization_name: Option<&str>,
    first_name: Option<&str>,
) -> Notice {
    let moment: Timestamp = "2026-03-02T15:00:00Z".parse().unwrap();
    let planned = PlannedNotice {
        organization_id: "00801KESTREL00000001".parse().unwrap(),
        organization_name: organization_name.map(Name::new),
        campaign: campaign.id.clone(),
        step: step.id.clone(),
        category: campaign.category,
        priority: campaign.priority,
        stage: campaign.stage,
        stage_reason,
        stage_since: moment,
        since: moment,
        recipient: Recipient {
            user_id: "00601MARISOL00000001".parse().unwrap(),
            first_name: first_name.map(Name::new),
            address: "marisol@kestrel-bakehouse.example".parse().unwrap(),
        },
        planned_at: moment,
        due_at: moment,
    };
    Notice::from_planned(planned, &AddressHashKey::new("key".to_owned().into()))
}

/// The possible reasons of a stage.
pub(crate) fn reasons(stage: Stage) -> &'static [StageReason] {
    match stage {
        Stage::Closed => &[StageReason::Archived, StageReason::Declined],
        Stage::Enrolling => &[
            StageReason::NoUsers,
            StageReason::VerificationNotStarted,
            StageReason::VerificationInProgress,
            StageReason::VerificationOnHold,
        ],
        Stage::NoBankAccount => &[StageReason::NoneConnected],
        Stage::BankUnverified => &[StageReason::Rejected, StageReason::Pending],
        Stage::AwaitingFirstPayment => &[StageReason::NeverPaid],
        Stage::Active => &[StageReason::PaidRecently],
        Stage::Dormant30 | Stage::Dormant60 | Stage::Dormant90 => &[StageReason::LastPayment],
    }
}

/// Every e-mail: each step of each campaign, for each reason of its stage.
pub(crate) fn every_email(
    content: &Content,
) -> impl Iterator<Item = (&Campaign, &Step, StageReason)> {
    content.rules().campaigns.iter().flat_map(|campaign| {
        campaign.steps.iter().flat_map(move |step| {
            reasons(campaign.stage)
                .iter()
                .map(move |reason| (campaign, step, *reason))
        })
    })
}

/// The notice of an e-mail whose subject contains the name of the organization.
pub(crate) fn sample_notice(
    content: &Content,
    organization_name: Option<&str>,
    first_name: Option<&str>,
) -> Notice {
    let campaign = content
        .rules()
        .campaigns
        .for_stage(Stage::NoBankAccount)
        .unwrap();
    notice_with_names(
        campaign,
        &campaign.steps[0],
        StageReason::NoneConnected,
        organization_name,
        first_name,
    )
}

/// The notice of any e-mail of the category.
pub(crate) fn notice_of_category(content: &Content, category: Category) -> Notice {
    let (campaign, step, reason) = every_email(content)
        .find(|(campaign, ..)| campaign.category == category)
        .unwrap();
    notice(campaign, step, reason)
}
