//! The templates that one e-mail consists of.

/// A template of an e-mail. Its text form is the middle part of the file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumIter)]
pub enum EmailPart {
    /// The subject.
    #[strum(serialize = "subject")]
    Subject,
    /// The text part.
    #[strum(serialize = "txt")]
    Text,
    /// The HTML part, as MJML.
    #[strum(serialize = "mjml")]
    Mjml,
}
