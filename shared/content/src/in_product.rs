use serde::{Deserialize, Serialize};

use crate::{
    brand::{Brand, HttpsUrl},
    error::ContentError,
};

/// What the partner's own product shows to an organization in a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InProductMessage {
    /// One short line.
    pub title: String,
    /// One or two sentences of plain text.
    pub body: String,
    /// How much it matters.
    pub severity: Severity,
    /// Whether the user may close it.
    pub dismissible: bool,
    /// The one thing to do.
    pub action: Action,
}

/// How much a message matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Something does not work until the customer acts.
    Warning,
}

/// A button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Action {
    /// Its text.
    pub label: String,
    /// Where it leads.
    pub url: HttpsUrl,
}

/// `in-product.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InProductFile {
    title: String,
    body: String,
    severity: Severity,
    dismissible: bool,
    action: ActionEntry,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActionEntry {
    label: String,
    path: String,
}

impl InProductFile {
    /// `path` is the file's own, for the error.
    pub(crate) fn into_message(self, brand: &Brand, path: &str) -> Result<InProductMessage, ContentError> {
        let url = brand.action_url(&self.action.path).map_err(|source| ContentError::ActionPath { path: path.to_owned(), source })?;
        Ok(InProductMessage {
            title: self.title,
            body: self.body,
            severity: self.severity,
            dismissible: self.dismissible,
            action: Action { label: self.action.label, url },
        })
    }
}
