use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use engagement::{Cadences, Campaign, CampaignId, Campaigns, Category, Notice, Rules, Stage};
use strum::IntoEnumIterator;
use url::Url;

use crate::{
    brand::Brand,
    campaign_file::CampaignFile,
    categories::Categories,
    error::{ContentError, EmailPart, RenderError},
    in_product::{InProductFile, InProductMessage},
    mail::Mail,
    sources::ContentFiles,
    templates::Templates,
    unsubscribe,
};

/// Everything that customers read, parsed and checked. Build it once per process.
pub struct Content {
    brand: Brand,
    categories: Categories,
    rules: Rules,
    in_product: BTreeMap<Stage, InProductMessage>,
    templates: Templates,
}

impl Content {
    /// The content that the binary was built with.
    pub fn embedded() -> Result<Self, ContentError> {
        Self::from_files(&ContentFiles::embedded())
    }

    /// Parses the files and checks them against each other. The error names the file.
    pub fn from_files(sources: &ContentFiles) -> Result<Self, ContentError> {
        let brand = Brand::from_files(sources)?;
        let categories = Categories::from_files(sources, &brand)?;
        let mut templates = Templates::new(&brand);
        for path in ContentFiles::LAYOUTS {
            templates.add(path, sources.text(path)?)?;
        }
        let mut campaigns = Vec::new();
        let mut in_product = BTreeMap::new();
        for (folder, paths) in sources.campaign_folders() {
            let stage: Stage = folder.parse().map_err(|_| ContentError::UnknownStage {
                folder: folder.to_owned(),
            })?;
            let settings_path = format!("campaigns/{folder}/campaign.toml");
            let in_product_path = format!("campaigns/{folder}/in-product.toml");
            let campaign = sources
                .settings::<CampaignFile>(&settings_path)?
                .into_campaign(stage);
            let message = sources
                .settings::<InProductFile>(&in_product_path)?
                .into_message(&brand, folder, &in_product_path)?;
            let mut expected = BTreeSet::from([settings_path, in_product_path]);
            for path in template_paths(&campaign) {
                templates.add(&path, sources.text(&path)?)?;
                expected.insert(path);
            }
            if let Some(unexpected) = paths.into_iter().find(|path| !expected.contains(*path)) {
                return Err(ContentError::UnexpectedFile {
                    path: unexpected.to_owned(),
                });
            }
            campaigns.push(campaign);
            in_product.insert(stage, message);
        }
        let rules = Rules {
            campaigns: Campaigns::new(campaigns)?,
            cadences: Cadences::default(),
        };
        Ok(Self {
            brand,
            categories,
            rules,
            in_product,
            templates,
        })
    }

    /// The campaigns, and how often each stage is looked at.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Who writes.
    pub fn brand(&self) -> &Brand {
        &self.brand
    }

    /// What the partner's own product shows to an organization in this stage.
    pub fn in_product(&self, stage: Stage) -> Option<&InProductMessage> {
        self.in_product.get(&stage)
    }

    /// Builds the mail of a notice; `unsubscribe` is its recipient's own address to stop such
    /// mails. `Err`: give the notice up, it fails the same way each time.
    pub fn render(&self, notice: &Notice, unsubscribe: &Url) -> Result<Mail, RenderError> {
        let kind = self.categories.kind(notice.category);
        let [address, one_click] =
            unsubscribe::headers(unsubscribe).map_err(|reason| RenderError::Unsubscribe {
                campaign: notice.campaign.clone(),
                step: notice.step.clone(),
                reason,
            })?;
        self.templates.render(
            notice,
            kind,
            unsubscribe,
            vec![address, one_click, kind.list.clone()],
        )
    }

    /// The mailing list of a kind of mail, as `List-ID` names it (RFC 2919).
    pub fn list_id(&self, category: Category) -> &str {
        self.categories.kind(category).list.value()
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let campaigns: Vec<&CampaignId> = self
            .rules
            .campaigns
            .iter()
            .map(|campaign| &campaign.id)
            .collect();
        formatter
            .debug_struct("Content")
            .field("partner", &self.brand.partner)
            .field("campaigns", &campaigns)
            .finish_non_exhaustive()
    }
}

fn template_paths(campaign: &Campaign) -> impl Iterator<Item = String> {
    campaign.steps.iter().flat_map(|step| {
        EmailPart::iter().map(|part| Templates::path(&campaign.id, &step.id, part))
    })
}
