//! Headers of e-mails.

use std::fmt;

use email_encoding::headers::{rfc2047, writer::EmailWriter};

/// A header of an e-mail. The value may contain a token, so `Debug` shows only its length.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    name: &'static str,
    value: String,
}

/// SES would reject the value. The error does not quote it. A retry does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Longer than SES accepts.
    #[error(
        "the header {name} would have {characters} characters, more than {max}",
        max = Header::MAX_VALUE_LENGTH
    )]
    TooLong {
        /// The header.
        name: &'static str,
        /// Length of the value.
        characters: usize,
    },
    /// Contains line breaks or non-ASCII characters.
    #[error("the header {name} would contain something other than printable ASCII")]
    NotPrintable {
        /// The header.
        name: &'static str,
    },
}

impl Header {
    /// Maximum length of a value, in characters (SES API v2 reference, `MessageHeader`; the
    /// documentation of newer SDKs says 995).
    pub const MAX_VALUE_LENGTH: usize = 870;

    pub(crate) fn new(name: &'static str, value: impl Into<String>) -> Result<Self, HeaderError> {
        let value = value.into();
        if !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(HeaderError::NotPrintable { name });
        }
        if value.len() > Self::MAX_VALUE_LENGTH {
            return Err(HeaderError::TooLong {
                name,
                characters: value.len(),
            });
        }
        Ok(Self { name, value })
    }

    /// The name, such as `List-Unsubscribe`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The value: printable ASCII on one line, at most [`Self::MAX_VALUE_LENGTH`] characters.
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Header")
            .field("name", &self.name)
            .field("value_bytes", &self.value.len())
            .finish()
    }
}

/// Encodes text as the display name before an address (RFC 5322, section 3.2.5, "phrase"): as a
/// quoted string, or as encoded words (RFC 2047) if it is not ASCII. `text` must not contain
/// control characters.
pub(crate) fn encode_phrase(text: &str) -> String {
    if text.is_ascii() {
        return format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    }
    let mut encoded = String::new();
    // Writing to a string does not fail. SES folds lines itself, so the line breaks between encoded
    // words are removed.
    _ = rfc2047::encode(text, &mut EmailWriter::new(&mut encoded, 0, 0, false));
    encoded.replace("\r\n", "")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Northlight Ledger", r#""Northlight Ledger""#)]
    #[case("Kestrel, Inc.: <bills>", r#""Kestrel, Inc.: <bills>""#)]
    #[case(r#"The "Ledger" \ Co"#, r#""The \"Ledger\" \\ Co""#)]
    #[case("Bäckerei", "=?utf-8?b?QsOkY2tlcmVp?=")]
    #[case(
        "日本の会社日本の会社日本の会社日本の会社",
        concat!(
            "=?utf-8?b?5pel5pys44Gu5Lya56S+5pel5pys44Gu5Lya56S+5pel5pys44Gu5Lya56S+?= ",
            "=?utf-8?b?5pel5pys44Gu5Lya56S+?="
        )
    )]
    fn a_phrase_is_quoted_or_encoded(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(encode_phrase(text), expected);
    }

    #[rstest]
    #[case("a\r\nBcc: x@y.example", Err(HeaderError::NotPrintable { name: "X" }))]
    #[case("\u{e9}", Err(HeaderError::NotPrintable { name: "X" }))]
    #[case(&"a".repeat(871), Err(HeaderError::TooLong { name: "X", characters: 871 }))]
    #[case(&"a".repeat(870), Ok(()))]
    fn header_value_is_printable_ascii_within_the_ses_limit(
        #[case] value: &str,
        #[case] expected: Result<(), HeaderError>,
    ) {
        assert_eq!(Header::new("X", value).map(|_| ()), expected);
    }
}
