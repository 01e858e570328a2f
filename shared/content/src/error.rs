//! Errors of loading content files and of rendering e-mails and pages.

use engagement::{CampaignError, CampaignId, StepId};
use errors::{ClassifiedError, ErrorType};

use crate::{action_path::ActionPathError, email_part::EmailPart, header::HeaderError};

/// The content files cannot be used. Somebody has to correct them and deploy again.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{path}: {kind}")]
pub struct ContentError {
    path: String,
    kind: ContentErrorKind,
}

/// The mistake in a content file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ContentErrorKind {
    /// A required file does not exist.
    #[error("the file is missing")]
    Missing,
    /// A file that nothing uses. Its name may be misspelled, or its step was removed.
    #[error("the file does not belong to a step of its campaign")]
    UnexpectedFile,
    /// A folder that is not named after a stage.
    #[error("the folder is not named after a stage")]
    UnknownStage,
    /// A TOML file with an invalid, unknown or missing key: the position and the mistake, from the
    /// TOML parser.
    #[error("{0}")]
    Settings(String),
    /// A template that does not parse: the position and the mistake, from the template parser.
    #[error("{0}")]
    Template(String),
    /// A template that uses an undefined variable of this name.
    #[error("unknown variable {0}")]
    UnknownVariable(String),
    /// A link to an invalid path.
    #[error(transparent)]
    ActionPath(#[from] ActionPathError),
    /// Two colours whose contrast is too low to read the text.
    #[error(
        "{text} on {background} in the {palette} colours has a contrast of {contrast:.1}, \
         less than 4.5"
    )]
    Contrast {
        /// `light` or `dark`.
        palette: &'static str,
        /// Key of the text colour.
        text: &'static str,
        /// Key of the background colour.
        background: &'static str,
        /// Contrast ratio, 1 to 21.
        contrast: f64,
    },
    /// Names that make an e-mail header too long.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The campaigns are not valid, or not valid together.
    #[error(transparent)]
    Campaigns(#[from] CampaignError),
}

impl ContentError {
    /// The mistake `kind` in the file, files or folder at `path`.
    pub(crate) fn new(path: impl Into<String>, kind: impl Into<ContentErrorKind>) -> Self {
        Self {
            path: path.into(),
            kind: kind.into(),
        }
    }

    /// The file, files or folder.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The mistake.
    pub fn kind(&self) -> &ContentErrorKind {
        &self.kind
    }
}

/// An e-mail or a page could not be rendered. A retry fails in the same way: the notice becomes
/// `failed` with the reason [`Unrenderable`](engagement::NoticeReason::Unrenderable).
///
/// Names the campaign and step. Does not quote the text or the recipient.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The content files have no such step. It may have been removed.
    #[error("campaign {campaign} has no step {step}")]
    UnknownStep {
        /// The campaign.
        campaign: CampaignId,
        /// The step.
        step: StepId,
    },
    /// A template of an e-mail uses an undefined value.
    #[error("campaign {campaign}, step {step}: the {part} does not render: {reason} at {location}")]
    Template {
        /// The campaign.
        campaign: CampaignId,
        /// The step.
        step: StepId,
        /// The template.
        part: EmailPart,
        /// The kind of error, from the template engine.
        reason: String,
        /// `file:line`.
        location: String,
    },
    /// The MJML does not parse, or contains something that the renderer does not support.
    #[error("campaign {campaign}, step {step}: the MJML is not valid: {reason}")]
    Markup {
        /// The campaign.
        campaign: CampaignId,
        /// The step.
        step: StepId,
        /// The mistake and its position.
        reason: String,
    },
    /// A template of a page uses an undefined value.
    #[error("a page does not render: {reason} at {location}")]
    Page {
        /// The kind of error, from the template engine.
        reason: String,
        /// `file:line`.
        location: String,
    },
    /// The unsubscribe URL of the recipient is not valid. It is not quoted, since it contains the
    /// token.
    #[error("campaign {campaign}, step {step}: {reason}")]
    Unsubscribe {
        /// The campaign.
        campaign: CampaignId,
        /// The step.
        step: StepId,
        /// Why the URL is not valid.
        reason: UnsubscribeError,
    },
}

/// The URL cannot be used as an unsubscribe URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnsubscribeError {
    /// Not https, or with a user or a fragment.
    #[error("the unsubscribe URL is not an https URL without user and fragment")]
    InsecureUrl,
    /// Not allowed in a header.
    #[error(transparent)]
    Header(#[from] HeaderError),
}

impl ClassifiedError for ContentError {
    fn error_type(&self) -> ErrorType {
        ErrorType::ContentInvalid
    }
}

impl ClassifiedError for RenderError {
    fn error_type(&self) -> ErrorType {
        ErrorType::ContentInvalid
    }
}
