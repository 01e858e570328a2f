//! An organization in a stage, and notices about it.

use std::collections::BTreeMap;

use anyhow::Result;
use engagement::{
    Campaign, Name, Organization, OrganizationId, PlannedNotice, Recipient, Stage, StageReason,
    UserId,
};
use jiff::{SignedDuration, Timestamp};

/// The `number`th organization, in a stage since `at`.
pub fn organization(
    number: usize,
    at: Timestamp,
    stage: Stage,
    stage_reason: StageReason,
) -> Result<Organization> {
    let organization_id: OrganizationId = format!("00802KESTREL{number:08}").parse()?;

    Ok(Organization {
        organization_id,
        name: Some(Name::new("Kestrel Bakehouse")),
        archived: false,
        listed_at: None,
        stage,
        stage_reason,
        stage_since: at,
        checked_at: at,
        next_check_at: at + SignedDuration::from_hours(24),
        created_at: None,
        bank_accounts: 1,
        verified_bank_accounts: 1,
        last_payment_at: None,
        payments_30d: 0,
        payments_90d: 0,
        amount_30d: "0".parse()?,
        users: 2,
        users_read_at: None,
        banks_read_at: None,
        contacts: Vec::new(),
        steps: BTreeMap::new(),
        loss_seen_at: None,
        version: 1,
    })
}

/// The notice of the first step of a campaign to the `user`th user, due since the organization's
/// stage began.
pub fn planned_notice(
    organization: &Organization,
    campaign: &Campaign,
    user: usize,
    address: &str,
) -> Result<PlannedNotice> {
    let user_id: UserId = format!("00602USER{user:04}").parse()?;
    let at = organization.stage_since;

    Ok(PlannedNotice {
        organization_id: organization.organization_id.clone(),
        organization_name: organization.name.clone(),
        campaign: campaign.id.clone(),
        step: campaign.steps[0].id.clone(),
        category: campaign.category,
        priority: campaign.priority,
        stage: organization.stage,
        stage_reason: organization.stage_reason,
        stage_since: at,
        since: at,
        recipient: Recipient {
            user_id,
            first_name: Some(Name::new("Marisol")),
            address: address.parse()?,
        },
        planned_at: at,
        due_at: at,
    })
}
