//! Writes due notices as sync-organization writes them, and reads the e-mails that notify sends.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use content::Content;
use engagement::{AddressHashKey, Campaign, Category, Decision, Notice, Stage, StageReason};
use jiff::Timestamp;
use local_cloud::{AwsCall, LocalCloud};
use scraper::Html;
use serde_json::Value;
use store::{DecisionWriter, TableNames, Tables, WriteOutcome};
use url::Url;

use super::{
    fixtures::{organization, planned_notice},
    sent_call::{
        as_text, is_unsubscribe_link, notice_tag, recipient, tags, unsubscribe_header_url,
    },
};
use crate::support::{notify, now, selector};

/// One stage for each category.
pub const STAGE_PER_CATEGORY: [(Category, Stage, StageReason); 3] = [
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

/// Writes due notices and sends them.
pub struct Outbox<'a> {
    cloud: &'a LocalCloud,
    decisions: DecisionWriter,
    key: AddressHashKey,
    content: Content,
    /// Number of organizations written so far.
    organizations: usize,
}

/// Recipient and category of an e-mail.
pub type EmailKey = (String, Category);

/// The links of an e-mail by which its recipient can unsubscribe.
#[derive(Debug, Clone)]
pub struct UnsubscribeLinks {
    /// The URL of the header, for e-mail clients.
    pub header: Url,
    /// The link of the HTML part, to the unsubscribe page.
    pub page: Url,
}

/// The result of [`Outbox::send_round`].
pub struct SendResult {
    /// Status and reason of each notice, for instance `sent` or `skipped:unsubscribed`.
    pub outcomes: BTreeMap<EmailKey, String>,
    /// The e-mails that were sent.
    pub emails: BTreeMap<EmailKey, UnsubscribeLinks>,
}

impl<'a> Outbox<'a> {
    pub async fn new(cloud: &'a LocalCloud) -> Result<Self> {
        let name = |output| Ok::<_, anyhow::Error>(cloud.output(output)?.to_owned());
        let names = TableNames {
            organizations_table: name("OrganizationsTable")?,
            transitions_table: name("TransitionsTable")?,
            notices_table: name("NoticesTable")?,
            contacts_table: name("ContactsTable")?,
            runs_table: name("RunsTable")?,
        };
        let secret = cloud
            .secrets()
            .get_secret_value()
            .secret_id(cloud.output("AddressKeySecret")?)
            .send()
            .await?;
        let key = secret
            .secret_string()
            .context("the address key is not a text")?;

        Ok(Self {
            cloud,
            decisions: Tables::new(cloud.dynamodb().clone(), names).decisions(),
            key: AddressHashKey::new(key.to_owned().into()),
            content: Content::embedded()?,
            organizations: 0,
        })
    }

    /// Writes a due notice of each category to each address, each category about a new
    /// organization, and runs notify. `Err` also when the sent notices and the calls to SES differ.
    pub async fn send_round(&mut self, addresses: &[&str]) -> Result<SendResult> {
        let as_of = now();
        let written = self.write_every_category(as_of, addresses).await?;
        let earlier = self.cloud.fault_proxy()?.calls_to("ses.SendEmail").len();

        let response = notify(self.cloud, as_of).await?;
        ensure!(response["outcome"] == "completed", "{response}");

        let mut outcomes = BTreeMap::new();
        for item in self.cloud.scan("NoticesTable").await? {
            if let Some(key) = written.get(&notice_tag(&item)?) {
                outcomes.insert(key.clone(), outcome(&item));
            }
        }

        let calls = self.cloud.fault_proxy()?.calls_to("ses.SendEmail");
        let calls = &calls[earlier..];
        let emails = calls
            .iter()
            .map(|call| self.unsubscribe_links(call))
            .collect::<Result<BTreeMap<_, _>>>()?;

        let sent: Vec<_> = outcomes
            .iter()
            .filter(|(_, outcome)| *outcome == "sent")
            .map(|(key, _)| key)
            .collect();
        ensure!(
            calls.len() == emails.len() && emails.keys().eq(sent.iter().copied()),
            "notices with status sent: {sent:?}; e-mails: {:?}",
            emails.keys()
        );
        Ok(SendResult { outcomes, emails })
    }

    /// The keys of the written notices by the value of their `notice_id` tag.
    async fn write_every_category(
        &mut self,
        as_of: Timestamp,
        addresses: &[&str],
    ) -> Result<BTreeMap<String, EmailKey>> {
        let mut written = BTreeMap::new();
        for case in STAGE_PER_CATEGORY {
            for notice in self.write(as_of, case, addresses).await? {
                let address = addresses
                    .iter()
                    .find(|address| {
                        address
                            .parse()
                            .is_ok_and(|it| self.key.hash(&it) == notice.address_hash)
                    })
                    .context("a notice to another address")?;
                written.insert(notice.id().to_string(), ((*address).to_owned(), case.0));
            }
        }
        Ok(written)
    }

    /// Writes a notice to each address, about one new organization in a stage, all due at `at`.
    pub async fn write(
        &mut self,
        at: Timestamp,
        case: (Category, Stage, StageReason),
        addresses: &[&str],
    ) -> Result<Vec<Notice>> {
        let (category, stage, stage_reason) = case;
        let campaign = self.campaign(stage)?.clone();
        ensure!(
            campaign.category == category,
            "the campaign of {stage} has category {}",
            campaign.category
        );

        self.organizations += 1;
        let organization = organization(self.organizations, at, stage, stage_reason)?;
        let notices = addresses
            .iter()
            .enumerate()
            .map(|(user, address)| planned_notice(&organization, &campaign, user, address))
            .collect::<Result<_>>()?;
        let decision = Decision {
            notices,
            organization,
            transition: None,
        };

        let outcome = self.decisions.write(&decision, None, &self.key).await?;
        ensure!(
            outcome
                == WriteOutcome::Written {
                    notices: addresses.len(),
                    notices_existing: 0
                },
            "{outcome:?}"
        );
        Ok(decision
            .notices
            .into_iter()
            .map(|planned| Notice::from_planned(planned, &self.key))
            .collect())
    }

    fn campaign(&self, stage: Stage) -> Result<&Campaign> {
        self.content
            .rules()
            .campaigns
            .for_stage(stage)
            .context("a stage without a campaign")
    }

    fn unsubscribe_links(&self, call: &AwsCall) -> Result<(EmailKey, UnsubscribeLinks)> {
        let campaign = tags(call)?["campaign"];
        let campaign = self
            .content
            .rules()
            .campaigns
            .iter()
            .find(|it| it.id.as_str() == campaign)
            .context("an unknown campaign")?;

        let header = unsubscribe_header_url(call)?;
        let html = as_text(&call.request["Content"]["Simple"]["Body"]["Html"]["Data"])?;
        let document = Html::parse_document(html);
        let page = document
            .select(&selector("a[href]")?)
            .filter_map(|link| link.attr("href")?.parse().ok())
            .find(|link| is_unsubscribe_link(link, &header))
            .context("no unsubscribe link in the HTML part")?;

        Ok((
            (recipient(call)?.to_owned(), campaign.category),
            UnsubscribeLinks { header, page },
        ))
    }
}

fn outcome(notice: &Value) -> String {
    let status = notice["status"].as_str().unwrap_or("none");

    notice["reason"]
        .as_str()
        .map_or_else(|| status.to_owned(), |reason| format!("{status}:{reason}"))
}
