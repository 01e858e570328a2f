//! All content, loaded and validated.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use engagement::{Cadences, Campaign, CampaignId, Campaigns, Notice, Rules, Stage};
use strum::IntoEnumIterator;
use url::Url;

use crate::{
    brand::Brand,
    campaign_file::CampaignFile,
    categories::Categories,
    content_files::ContentFiles,
    email_part::EmailPart,
    error::{ContentError, ContentErrorKind, RenderError},
    in_product::{InProductFile, InProductMessage},
    mail::Mail,
    templates::Templates,
    unsubscribe,
};

/// All content, loaded and validated. Build it once per process.
pub struct Content {
    brand: Brand,
    categories: Categories,
    rules: Rules,
    in_product: BTreeMap<Stage, InProductMessage>,
    templates: Templates,
}

impl Content {
    /// Loads the files that are embedded in the binary.
    pub fn embedded() -> Result<Self, ContentError> {
        Self::from_files(&ContentFiles::embedded())
    }

    /// Loads and validates the files. The error names the file. Public for tests.
    pub fn from_files(files: &ContentFiles) -> Result<Self, ContentError> {
        let brand = Brand::from_files(files)?;
        let categories = Categories::from_files(files, &brand)?;
        let mut templates = Templates::new(&brand);
        for path in ContentFiles::LAYOUTS {
            templates.add_template(path, files.text(path)?)?;
        }

        let mut campaigns = Vec::new();
        let mut in_product = BTreeMap::new();
        for (folder, paths) in files.campaign_folders() {
            let (campaign, message) = load_campaign(files, folder, &paths, &brand, &mut templates)?;
            in_product.insert(campaign.stage, message);
            campaigns.push(campaign);
        }

        Ok(Self {
            brand,
            categories,
            rules: Rules {
                campaigns: Campaigns::new(campaigns)
                    .map_err(|error| ContentError::new("campaigns", error))?,
                cadences: Cadences::default(),
            },
            in_product,
            templates,
        })
    }

    /// The campaigns, and how often the organizations of each stage are synced.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The sender of the e-mails.
    pub fn brand(&self) -> &Brand {
        &self.brand
    }

    /// The message that the partner's product shows to an organization in this stage.
    pub fn in_product_message(&self, stage: Stage) -> Option<&InProductMessage> {
        self.in_product.get(&stage)
    }

    /// Renders the e-mail of a notice. `unsubscribe_url` is the recipient's own URL for
    /// unsubscribing from the category. `Err`: a retry fails in the same way.
    pub fn render(&self, notice: &Notice, unsubscribe_url: &Url) -> Result<Mail, RenderError> {
        let category_text = self.categories.get(notice.category);
        let [address, one_click] =
            unsubscribe::headers(unsubscribe_url).map_err(|reason| RenderError::Unsubscribe {
                campaign: notice.campaign.clone(),
                step: notice.step.clone(),
                reason,
            })?;
        let list_id = category_text.list_id_header.clone();

        self.templates.render(
            notice,
            category_text,
            unsubscribe_url,
            vec![address, one_click, list_id],
        )
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

/// Loads a folder of `campaigns`, which contains the files `paths` and no others.
fn load_campaign(
    files: &ContentFiles,
    folder: &str,
    paths: &[&str],
    brand: &Brand,
    templates: &mut Templates,
) -> Result<(Campaign, InProductMessage), ContentError> {
    let stage: Stage = folder.parse().map_err(|_| {
        ContentError::new(
            format!("campaigns/{folder}"),
            ContentErrorKind::UnknownStage,
        )
    })?;
    let campaign_path = format!("campaigns/{folder}/campaign.toml");
    let in_product_path = format!("campaigns/{folder}/in-product.toml");
    let campaign = files
        .parse_toml::<CampaignFile>(&campaign_path)?
        .into_campaign(stage);
    let message = files
        .parse_toml::<InProductFile>(&in_product_path)?
        .into_message(brand, folder, &in_product_path)?;

    let mut expected = BTreeSet::from([campaign_path, in_product_path]);
    for path in template_paths(&campaign) {
        templates.add_template(&path, files.text(&path)?)?;
        expected.insert(path);
    }
    match paths.iter().find(|path| !expected.contains(**path)) {
        Some(unexpected) => Err(ContentError::new(
            *unexpected,
            ContentErrorKind::UnexpectedFile,
        )),
        None => Ok((campaign, message)),
    }
}

fn template_paths(campaign: &Campaign) -> impl Iterator<Item = String> {
    campaign.steps.iter().flat_map(|step| {
        EmailPart::iter().map(|part| Templates::path(&campaign.id, &step.id, part))
    })
}
