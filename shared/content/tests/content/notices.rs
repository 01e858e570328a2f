//! Notices to be rendered.

use std::sync::LazyLock;

use content::Content;
use engagement::{
    AddressHashKey, Campaign, Name, Notice, PlannedNotice, Recipient, Stage, StageReason, Step,
};
use jiff::Timestamp;
use url::Url;

pub(crate) fn content() -> &'static Content {
    static CONTENT: LazyLock<Content> = LazyLock::new(|| Content::embedded().unwrap());
    &CONTENT
}

/// Where Marisol can unsubscribe.
pub(crate) fn unsubscribe() -> &'static Url {
    static ADDRESS: LazyLock<Url> = LazyLock::new(|| {
        "https://api.northlight-ledger.example/unsubscribe/bWFyaXNvbA.c2VhbA"
            .parse()
            .unwrap()
    });
    &ADDRESS
}

/// The notice of a step, to Marisol of Kestrel Bakehouse.
pub(crate) fn notice(campaign: &Campaign, step: &Step, reason: StageReason) -> Notice {
    named(
        campaign,
        step,
        reason,
        Some("Kestrel Bakehouse"),
        Some("Marisol"),
    )
}

pub(crate) fn named(
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
    Notice::due(planned, &AddressHashKey::new("key".to_owned().into()))
}

/// Every reason for which an organization can be in the stage.
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

/// Every mail there is.
pub(crate) fn all(content: &Content) -> impl Iterator<Item = (&Campaign, &Step, StageReason)> {
    content.rules().campaigns.iter().flat_map(|campaign| {
        campaign.steps.iter().flat_map(move |step| {
            reasons(campaign.stage)
                .iter()
                .map(move |reason| (campaign, step, *reason))
        })
    })
}

/// Any one mail; its subject names the organization.
pub(crate) fn any(
    content: &Content,
    organization_name: Option<&str>,
    first_name: Option<&str>,
) -> Notice {
    let campaign = content
        .rules()
        .campaigns
        .for_stage(Stage::NoBankAccount)
        .unwrap();
    named(
        campaign,
        &campaign.steps[0],
        StageReason::NoneConnected,
        organization_name,
        first_name,
    )
}
