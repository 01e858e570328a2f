use engagement::{CampaignError, CampaignId, StepId};

use crate::{brand::ActionPathError, header::HeaderError};

/// Content files that cannot be used. The files have to be mended and deployed again; nothing else
/// helps.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ContentError {
    /// A file that others rely on.
    #[error("{path} is missing")]
    Missing {
        /// The file.
        path: String,
    },
    /// A file that nothing relies on: most likely a misspelled name, or the file of a step that is
    /// gone.
    #[error("{path} belongs to no step of its campaign")]
    UnexpectedFile {
        /// The file.
        path: String,
    },
    /// A folder that is not named after a stage.
    #[error("campaigns/{folder} is named after no stage")]
    UnknownStage {
        /// The folder.
        folder: String,
    },
    /// A settings file with a wrong, unknown or absent key.
    #[error("{path}: {reason}")]
    Settings {
        /// The file.
        path: String,
        /// Where and what, from the TOML parser.
        reason: String,
    },
    /// A template that does not parse.
    #[error("{path}: {reason}")]
    Template {
        /// The file.
        path: String,
        /// Where and what, from the template parser.
        reason: String,
    },
    /// A template that uses what no mail has.
    #[error("{path} uses the unknown variable {variable}")]
    UnknownVariable {
        /// The file.
        path: String,
        /// The variable.
        variable: String,
    },
    /// A link that leads nowhere.
    #[error("{path}: {source}")]
    ActionPath {
        /// The file.
        path: String,
        /// What is wrong.
        source: ActionPathError,
    },
    /// Two colours that some people cannot tell apart.
    #[error(
        "brand.toml: {text} on {background} in the {palette} colours has a contrast of {contrast:.1}, less than 4.5"
    )]
    Contrast {
        /// `light` or `dark`.
        palette: &'static str,
        /// Key of the colour of the text.
        text: &'static str,
        /// Key of the colour behind it.
        background: &'static str,
        /// Contrast ratio: 1 to 21.
        contrast: f64,
    },
    /// Names in `brand.toml` and `categories.toml` that together are too long.
    #[error("brand.toml and categories.toml: {0}")]
    Header(#[from] HeaderError),
    /// Campaigns that make no sense together.
    #[error(transparent)]
    Campaigns(#[from] CampaignError),
}

/// A mail or a page that could not be built. Building it again gives the same error: a notice is to
/// be given up ([`engagement::NoticeReason::Unrenderable`]). Says which mail, never what it says or to
/// whom.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The step is not, or not any more, among the files.
    #[error("campaign {campaign} has no step {step}")]
    UnknownStep {
        /// The campaign.
        campaign: CampaignId,
        /// The step.
        step: StepId,
    },
    /// A template asks for something that the mail does not have.
    #[error("campaign {campaign}, step {step}: the {part} does not render: {reason} at {location}")]
    Template {
        /// The campaign.
        campaign: CampaignId,
        /// The step.
        step: StepId,
        /// Which part of the mail.
        part: EmailPart,
        /// What kind of error, in the words of the template engine.
        reason: String,
        /// `file:line`.
        location: String,
    },
    /// The MJML is not MJML, or says something that the renderer does not know.
    #[error("campaign {campaign}, step {step}: the MJML is not valid: {reason}")]
    Markup {
        /// The campaign.
        campaign: CampaignId,
        /// The step.
        step: StepId,
        /// What is wrong and where, without the text itself.
        reason: String,
    },
    /// A page's template asks for something that the page does not have. Same as with mails: trying
    /// again does not help.
    #[error("a page does not render: {reason} at {location}")]
    Page {
        /// What kind of error, in the words of the template engine.
        reason: String,
        /// `file:line`.
        location: String,
    },
    /// An address to unsubscribe at that no mail may carry: it holds a token, so it is not shown.
    #[error("campaign {campaign}, step {step}: {reason}")]
    Unsubscribe {
        /// The campaign.
        campaign: CampaignId,
        /// The step.
        step: StepId,
        /// What is wrong with it.
        reason: UnsubscribeError,
    },
}

/// An address to unsubscribe at that no mail may carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnsubscribeError {
    /// Not https, or with a user or a fragment.
    #[error("the address to unsubscribe at is not a plain https address")]
    Unsafe,
    /// Not fit for a header.
    #[error(transparent)]
    Header(#[from] HeaderError),
}

/// One of the templates of a mail; its name is the middle of the file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumIter)]
pub enum EmailPart {
    /// The subject.
    #[strum(serialize = "subject")]
    Subject,
    /// The text part.
    #[strum(serialize = "txt")]
    Text,
    /// The HTML part, before it becomes HTML.
    #[strum(serialize = "mjml")]
    Mjml,
}
