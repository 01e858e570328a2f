//! The e-mail categories: their names, descriptions and list ids. Read from `categories.toml`.

use engagement::Category;
use serde::Deserialize;

use crate::{
    brand::Brand,
    content_files::ContentFiles,
    error::ContentError,
    header::{Header, encode_phrase},
    text_setting::short_line,
};

/// The texts of each category.
pub(crate) struct Categories {
    onboarding: CategoryText,
    reengagement: CategoryText,
    product: CategoryText,
}

/// The texts of one category.
pub(crate) struct CategoryText {
    /// The name as it is used in sentences, after "our": `reminders`.
    pub name: String,
    /// The description, used in sentences after the name and a colon.
    pub description: String,
    /// The `List-ID` header (RFC 2919), such as
    /// `"Northlight Bill Pay: reminders" <reengagement.bill-pay.example.com>`.
    pub list_id_header: Header,
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
    pub(crate) fn from_files(files: &ContentFiles, brand: &Brand) -> Result<Self, ContentError> {
        let file: CategoriesFile = files.parse_toml(ContentFiles::CATEGORIES)?;
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

    pub(crate) fn get(&self, category: Category) -> &CategoryText {
        match category {
            Category::Onboarding => &self.onboarding,
            Category::Reengagement => &self.reengagement,
            Category::Product => &self.product,
        }
    }
}

impl CategoryEntry {
    fn into_category_text(
        self,
        category: Category,
        brand: &Brand,
    ) -> Result<CategoryText, ContentError> {
        let title = encode_phrase(&format!("{}: {}", brand.product, self.name));
        let list_id_header = Header::new(
            "List-ID",
            format!("{title} <{category}.{}>", brand.list_domain),
        )
        .map_err(|error| ContentError::new("brand.toml and categories.toml", error))?;
        Ok(CategoryText {
            name: self.name,
            description: self.description,
            list_id_header,
        })
    }
}
