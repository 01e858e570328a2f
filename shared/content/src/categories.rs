use engagement::Category;
use serde::Deserialize;

use crate::{
    brand::Brand,
    error::ContentError,
    header::{Header, HeaderError, phrase},
    line::short_line,
    sources::ContentFiles,
};

/// What recipients are told about each kind of mail.
pub(crate) struct Categories {
    onboarding: Kind,
    reengagement: Kind,
    product: Kind,
}

/// One kind of mail.
pub(crate) struct Kind {
    /// Follows "our": `reminders`.
    pub name: String,
    /// Follows the name and a colon.
    pub description: String,
    /// `List-ID`: `"Northlight Bill Pay: reminders" <reengagement.bill-pay.example.com>` (RFC
    /// 2919).
    pub list: Header,
}

/// `categories.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CategoriesFile {
    onboarding: CategoryEntry,
    reengagement: CategoryEntry,
    product: CategoryEntry,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CategoryEntry {
    #[serde(deserialize_with = "short_line")]
    name: String,
    #[serde(deserialize_with = "short_line")]
    description: String,
}

impl Categories {
    pub(crate) fn from_files(sources: &ContentFiles, brand: &Brand) -> Result<Self, ContentError> {
        let file: CategoriesFile = sources.settings(ContentFiles::CATEGORIES)?;
        Ok(Self {
            onboarding: file
                .onboarding
                .into_category_text(Category::Onboarding, brand)?,
            reengagement: file
                .reengagement
                .into_category_text(Category::Reengagement, brand)?,
            product: file.product.into_category_text(Category::Product, brand)?,
        })
    }

    pub(crate) fn kind(&self, category: Category) -> &Kind {
        match category {
            Category::Onboarding => &self.onboarding,
            Category::Reengagement => &self.reengagement,
            Category::Product => &self.product,
        }
    }
}

impl CategoryEntry {
    fn into_category_text(self, category: Category, brand: &Brand) -> Result<Kind, HeaderError> {
        let title = phrase(&format!("{}: {}", brand.product, self.name));
        let list = Header::new(
            "List-ID",
            format!("{title} <{category}.{}>", brand.list_domain),
        )?;
        Ok(Kind {
            name: self.name,
            description: self.description,
            list,
        })
    }
}
