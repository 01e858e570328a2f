//! Notices written as checks write them, and the mails that notify makes of them.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use content::Content;
use engagement::{
    AddressHashKey, Campaign, Category, Decision, Name, Notice, NoticeId, Organization,
    OrganizationId, PlannedNotice, Recipient, Stage, StageReason, UserId,
};
use jiff::Timestamp;
use local_cloud::{Call, LocalCloud};
use scraper::Html;
use serde_json::Value;
use store::{Checks, DecisionTables, WriteOutcome};
use url::Url;

use super::mail_quality::{
    is_unsubscribe_link, recipient_and_text, selector, tags, unsubscribe_header_url,
};
use crate::support::{notify, now, text};

/// One stage for each category.
pub const STAGES: [(Category, Stage, StageReason); 3] = [
    (
        Category::Onboarding,
        Stage::AwaitingFirstPayment,
        StageReason::NeverPaid,
    ),
    (
        Category::Reengagement,
        Stage::Dormant30,
        StageReason::LastPayment,
    ),
    (Category::Product, Stage::Active, StageReason::PaidRecently),
];

/// Writes due notices, in rounds.
pub struct Outbox<'a> {
    cloud: &'a LocalCloud,
    checks: Checks,
    key: AddressHashKey,
    content: Content,
    /// Organizations written about so far.
    organizations: usize,
}

/// A recipient and the kind of mail.
pub type Letter = (String, Category);

/// The links of a mail by which its recipient can leave.
#[derive(Debug, Clone)]
pub struct UnsubscribeLinks {
    /// That of the header, for mail clients.
    pub header: Url,
    /// That of the HTML part, for people.
    pub page: Url,
}

/// What became of a round.
pub struct SendResult {
    /// Status and reason of each notice: `sent`, `skipped:unsubscribed` and so on.
    pub outcomes: BTreeMap<Letter, String>,
    /// The mails that went out.
    pub mails: BTreeMap<Letter, UnsubscribeLinks>,
}

impl<'a> Outbox<'a> {
    pub async fn open(cloud: &'a LocalCloud) -> Result<Self> {
        let tables = DecisionTables {
            organizations: cloud.output("OrganizationsTable")?.to_owned(),
            transitions: cloud.output("TransitionsTable")?.to_owned(),
            notices: cloud.output("NoticesTable")?.to_owned(),
        };
        let secret = cloud
            .secrets()
            .get_secret_value()
            .secret_id(cloud.output("AddressKeySecret")?)
            .send()
            .await?;
        let key = AddressHashKey::new(
            secret
                .secret_string()
                .context("the address key is no text")?
                .to_owned()
                .into(),
        );
        let checks = Checks::new(cloud.dynamodb().clone(), tables);
        Ok(Self {
            cloud,
            checks,
            key,
            content: Content::embedded()?,
            organizations: 0,
        })
    }

    /// Writes a due notice of each category to each address, each category about a new
    /// organization, and runs notify.
    pub async fn round(&mut self, addresses: &[&str]) -> Result<SendResult> {
        let as_of = now();
        let mut written = BTreeMap::new();
        for (category, stage, reason) in STAGES {
            for notice in self
                .write(as_of, (category, stage, reason), addresses)
                .await?
            {
                let id = notice.id();
                let address = addresses.iter().find(|address| {
                    address
                        .parse()
                        .is_ok_and(|it| self.key.hash(&it) == notice.address_hash)
                });
                written.insert(
                    id.to_string(),
                    (
                        address.context("an address got lost")?.to_string(),
                        category,
                    ),
                );
            }
        }
        let faults = self.cloud.faults()?;
        let earlier = faults.calls_to("ses.SendEmail").len();
        let answer = notify(self.cloud, as_of).await?;
        ensure!(answer["outcome"] == "completed", "{answer}");
        let mut outcomes = BTreeMap::new();
        for item in self.cloud.scan("NoticesTable").await? {
            if let Some(letter) = written.get(&id(&item)?) {
                outcomes.insert(letter.clone(), outcome(&item));
            }
        }
        let calls = faults.calls_to("ses.SendEmail").split_off(earlier);
        let mails = calls
            .iter()
            .map(|call| self.mail(call))
            .collect::<Result<BTreeMap<_, _>>>()?;
        let sent: Vec<_> = outcomes
            .iter()
            .filter(|(_, outcome)| *outcome == "sent")
            .map(|(letter, _)| letter)
            .collect();
        ensure!(
            calls.len() == mails.len() && mails.keys().eq(sent.iter().copied()),
            "marked as sent: {sent:?}; sent: {:?}",
            mails.keys()
        );
        Ok(SendResult { outcomes, mails })
    }

    /// Writes a notice to each address, about one new organization in a stage, all due at `at`.
    pub async fn write(
        &mut self,
        at: Timestamp,
        case: (Category, Stage, StageReason),
        addresses: &[&str],
    ) -> Result<Vec<Notice>> {
        let (category, stage, stage_reason) = case;
        let campaign = self
            .content
            .rules()
            .campaigns
            .for_stage(stage)
            .context("a stage without a campaign")?
            .clone();
        ensure!(
            campaign.category == category,
            "{stage} has become {}",
            campaign.category
        );
        self.organizations += 1;
        let organization = organization(self.organizations, at, stage, stage_reason)?;
        let planned = addresses
            .iter()
            .enumerate()
            .map(|(user, address)| planned(&organization, &campaign, user, address));
        let decision = Decision {
            notices: planned.collect::<Result<_>>()?,
            organization,
            transition: None,
        };
        let applied = self.checks.apply(&decision, None, &self.key).await?;
        ensure!(
            applied
                == WriteOutcome::Written {
                    notices: addresses.len(),
                    notices_existing: 0
                },
            "{applied:?}"
        );
        Ok(decision
            .notices
            .into_iter()
            .map(|planned| Notice::due(planned, &self.key))
            .collect())
    }

    fn mail(&self, call: &Call) -> Result<(Letter, UnsubscribeLinks)> {
        let campaign = tags(call)?["campaign"];
        let campaign = self
            .content
            .rules()
            .campaigns
            .iter()
            .find(|it| it.id.as_str() == campaign)
            .context("an unknown campaign")?;
        let header = unsubscribe_header_url(call)?;
        let html = call.request["Content"]["Simple"]["Body"]["Html"]["Data"]
            .as_str()
            .context("no HTML")?;
        let document = Html::parse_document(html);
        let links = selector("a[href]")?;
        let mut links = document
            .select(&links)
            .filter_map(|link| link.attr("href")?.parse().ok());
        let page = links
            .find(|link| is_unsubscribe_link(link, &header))
            .context("no way out in the HTML")?;
        Ok((
            (recipient_and_text(call)?.0, campaign.category),
            UnsubscribeLinks { header, page },
        ))
    }
}

fn id(notice: &Value) -> Result<String> {
    let notice: NoticeId = NoticeId {
        organization_id: text(notice, "organization_id")?.parse()?,
        notice: serde_json::from_value(notice["notice"].clone())?,
    };
    Ok(notice.to_string())
}

fn outcome(notice: &Value) -> String {
    let status = notice["status"].as_str().unwrap_or("none");
    notice["reason"]
        .as_str()
        .map_or_else(|| status.to_owned(), |reason| format!("{status}:{reason}"))
}

fn organization(
    number: usize,
    at: Timestamp,
    stage: Stage,
    stage_reason: StageReason,
) -> Result<Organization> {
    let organization_id: OrganizationId = format!("00802KESTREL{number:08}").parse()?;
    Ok(Organization {
        organization_id,
        name: Some(Name::new("Kestrel Bakehouse")),
        stage,
        stage_reason,
        stage_since: at,
        checked_at: at,
        next_check_at: at + jiff::SignedDuration::from_hours(24),
        created_at: None,
        bank_accounts: 1,
        verified_bank_accounts: 1,
        last_payment_at: None,
        payments_30d: 0,
        payments_90d: 0,
        amount_30d: "0".parse()?,
        users: 2,
        contacts: Vec::new(),
        steps: BTreeMap::new(),
        version: 1,
    })
}

fn planned(
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
