use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    brand::Brand,
    error::ContentError,
    line::{sentences, short_line},
};

/// What the partner's own product shows to an organization in a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InProductMessage {
    /// One short line.
    pub title: String,
    /// One or two sentences of plain text.
    pub body: String,
    /// The one thing to do.
    pub call_to_action: CallToAction,
    /// How much it matters.
    pub severity: Severity,
    /// Whether the user may close it.
    pub dismissible: bool,
}

/// How much a message matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Something does not work until the customer acts.
    Warning,
    /// The customer loses something unless they act now.
    Critical,
}

/// A button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallToAction {
    /// Its text.
    pub label: String,
    /// Where it leads: an https address with the tags of the campaign.
    pub url: Url,
}

/// `in-product.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InProductFile {
    #[serde(deserialize_with = "short_line")]
    title: String,
    #[serde(deserialize_with = "sentences")]
    body: String,
    severity: Severity,
    dismissible: bool,
    call_to_action: CallToActionEntry,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallToActionEntry {
    #[serde(deserialize_with = "short_line")]
    label: String,
    path: String,
}

impl InProductFile {
    /// `path` is the file's own, for the error; `campaign` is named by the link.
    pub(crate) fn into_message(
        self,
        brand: &Brand,
        campaign: &str,
        path: &str,
    ) -> Result<InProductMessage, ContentError> {
        let Self {
            title,
            body,
            severity,
            dismissible,
            call_to_action:
                CallToActionEntry {
                    label,
                    path: action,
                },
        } = self;
        let url = brand
            .tagged_url(
                &action,
                &[("utm_medium", "in-product"), ("utm_campaign", campaign)],
            )
            .map_err(|source| ContentError::ActionPath {
                path: path.to_owned(),
                source,
            })?;
        Ok(InProductMessage {
            title,
            body,
            call_to_action: CallToAction { label, url },
            severity,
            dismissible,
        })
    }
}
