//! A rendered e-mail.

use std::fmt;

use crate::header::Header;

/// A rendered e-mail. Contains personal data, so `Debug` shows only lengths.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// One line without control characters, at most 78 characters.
    pub subject: String,
    /// The text part. Lines have at most 76 columns, except links.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// `List-Unsubscribe` and `List-Unsubscribe-Post` (RFC 8058), and `List-ID` (RFC 2919).
    pub headers: Vec<Header>,
}

impl fmt::Debug for Mail {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Mail")
            .field("subject_bytes", &self.subject.len())
            .field("text_bytes", &self.text.len())
            .field("html_bytes", &self.html.len())
            .field("headers", &self.headers)
            .finish()
    }
}
