//! The messages that the partner's product shows.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    brand::Brand,
    error::ContentError,
    text_setting::{sentences, short_line},
};

/// The message that the partner's product shows to an organization in a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InProductMessage {
    /// The title: one short line.
    pub title: String,
    /// The body: one or two sentences of plain text.
    pub body: String,
    /// The button.
    pub call_to_action: CallToAction,
    /// How important the message is.
    pub severity: Severity,
    /// Whether the user can close the message.
    pub dismissible: bool,
}

/// How important a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Information. Nothing is required of the customer.
    Info,
    /// Something does not work until the customer acts.
    Warning,
    /// The customer has a disadvantage unless they act now.
    Critical,
}

/// The button of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallToAction {
    /// The text of the button.
    pub label: String,
    /// The target: an https URL with tags that identify the campaign.
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
    /// `campaign` is a tag of the link. `path` is the path of this file, for the error.
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
            .map_err(|error| ContentError::new(path, error))?;
        Ok(InProductMessage {
            title,
            body,
            call_to_action: CallToAction { label, url },
            severity,
            dismissible,
        })
    }
}
