//! Records to write. The same arguments always give the same record.

use engagement::{
    AddressHashKey, CampaignId, Category, Decision, Name, Notice, Organization, OrganizationId,
    PlannedNotice, Recipient, Stage, StageReason, StepId, StepOutcome, StepRecord, Transition,
};
use jiff::{SignedDuration, Timestamp};
use store::{Claim, OrganizationRow, WriteOutcome};

use crate::tables::Tables;

/// Time of the first sync of an organization.
pub const SYNCED_AT: &str = "2026-11-23T06:00:00Z";

/// How long contacts keep counted e-mails in these tests: 30 days.
pub const COUNT_RETENTION: SignedDuration = SignedDuration::from_hours(30 * 24);

const CLAIMED_AT: &str = "2026-11-23T12:00:00Z";

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn id(number: usize) -> OrganizationId {
    format!("00802KESTREL{number:08}").parse().unwrap()
}

pub fn key() -> AddressHashKey {
    AddressHashKey::new("a key for tests".to_owned().into())
}

pub fn organization(number: usize, version: u64, checked_at: &str) -> Organization {
    let checked_at = at(checked_at);
    let step = StepRecord {
        at: checked_at,
        outcome: StepOutcome::Planned,
    };

    Organization {
        organization_id: id(number),
        name: Some(Name::new("Kestrel \"Bakehouse\" & Söhne 🥐")),
        stage: Stage::Dormant30,
        stage_reason: StageReason::LastPayment,
        stage_since: checked_at,
        checked_at,
        next_check_at: at("2026-11-24T06:00:00Z"),
        created_at: Some(at("2025-01-31T12:00:00Z")),
        bank_accounts: 2,
        verified_bank_accounts: 1,
        last_payment_at: Some(at("2026-10-20T09:30:00Z")),
        payments_30d: 0,
        payments_90d: 7,
        amount_30d: "1234.56".parse().unwrap(),
        users: 3,
        users_read_at: Some(checked_at),
        banks_read_at: Some(checked_at),
        contacts: vec![
            "00602MARISOL".parse().unwrap(),
            "00602TOMAS".parse().unwrap(),
        ],
        steps: [(StepId::new("miss_you"), step)].into(),
        archived: false,
        listed_at: None,
        loss_seen_at: None,
        version,
    }
}

pub fn planned(number: usize, address: &str, planned_at: &str) -> PlannedNotice {
    let planned_at = at(planned_at);
    PlannedNotice {
        organization_id: id(number),
        organization_name: Some(Name::new("Kestrel Bakehouse")),
        campaign: CampaignId::new("dormant_30"),
        step: StepId::new("miss_you"),
        category: Category::Reengagement,
        priority: 5,
        stage: Stage::Dormant30,
        stage_reason: StageReason::LastPayment,
        stage_since: planned_at,
        since: planned_at,
        recipient: Recipient {
            user_id: "00602MARISOL".parse().unwrap(),
            first_name: Some(Name::new("Marisol")),
            address: address.parse().unwrap(),
        },
        planned_at,
        due_at: planned_at,
    }
}

pub fn claim(id: &str) -> Claim {
    Claim {
        id: id.to_owned(),
        claimed_at: at(CLAIMED_AT),
        counted_at: at(CLAIMED_AT),
    }
}

/// A decision with a transition, and a notice for each address.
pub fn decision(number: usize, version: u64, checked_at: &str, addresses: &[&str]) -> Decision {
    let organization = organization(number, version, checked_at);
    let transition = Transition {
        organization_id: id(number),
        at: organization.checked_at,
        from: Some(Stage::Active),
        to: organization.stage,
        reason: organization.stage_reason,
    };
    let notices = addresses
        .iter()
        .map(|address| planned(number, address, checked_at))
        .collect();

    Decision {
        organization,
        transition: Some(transition),
        notices,
    }
}

/// The outcome of a write that created `notices` and left `notices_existing` unchanged.
pub fn written(notices: usize, notices_existing: usize) -> WriteOutcome {
    WriteOutcome::Written {
        notices,
        notices_existing,
    }
}

/// Writes a decision that is based on `previous`.
pub async fn write_decision(
    tables: &Tables,
    decision: &Decision,
    previous: Option<&Organization>,
) -> WriteOutcome {
    tables
        .decisions()
        .write(decision, previous.map(row).as_ref(), &key())
        .await
        .unwrap()
}

/// The row of a record, as a sync reads it.
pub fn row(record: &Organization) -> OrganizationRow {
    OrganizationRow::of_record(record.clone()).unwrap()
}

/// Writes each notice with the first sync of its organization.
pub async fn write_notices(tables: &Tables, planned: Vec<PlannedNotice>) -> Vec<Notice> {
    for notice in &planned {
        let mut decision = decision(0, 1, SYNCED_AT, &[]);
        decision.organization.organization_id = notice.organization_id.clone();
        decision.transition = None;
        decision.notices = vec![notice.clone()];

        let outcome = write_decision(tables, &decision, None).await;
        assert_eq!(outcome, written(1, 0));
    }

    planned
        .into_iter()
        .map(|planned| Notice::from_planned(planned, &key()))
        .collect()
}
