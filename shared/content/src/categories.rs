use engagement::Category;
use serde::Deserialize;

use crate::{error::ContentError, line::short_line, sources::Sources};

/// What the kinds of mails are called: `categories.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Categories {
    onboarding: CategoryWords,
    reengagement: CategoryWords,
    product: CategoryWords,
}

/// The words for one kind of mail.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CategoryWords {
    /// Follows "our": `reminders`.
    #[serde(deserialize_with = "short_line")]
    pub name: String,
    /// Follows the name and a colon.
    #[serde(deserialize_with = "short_line")]
    pub description: String,
}

impl Categories {
    pub(crate) fn from_sources(sources: &Sources) -> Result<Self, ContentError> {
        sources.settings(Sources::CATEGORIES)
    }

    pub(crate) fn words(&self, category: Category) -> &CategoryWords {
        match category {
            Category::Onboarding => &self.onboarding,
            Category::Reengagement => &self.reengagement,
            Category::Product => &self.product,
        }
    }
}
