//! DNS names in `brand.toml`.

use std::fmt;

use serde::Deserialize;

/// A DNS name of at least two labels, in lower case (RFC 1035, section 2.3.1, and RFC 1123, section
/// 2.1).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct DomainName(String);

impl DomainName {
    /// A list id has at most 255 characters (RFC 2919, section 2). It starts with the category and
    /// a dot.
    const MAX_LENGTH: usize = 200;
}

impl fmt::Display for DomainName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for DomainName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(is_allowed)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let is_number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
        let top_level = text.rsplit_once('.').map(|(_, label)| label);

        if text.len() <= Self::MAX_LENGTH
            && text.split('.').all(is_label)
            && top_level.is_some_and(|label| !is_number(label))
        {
            Ok(Self(text))
        } else {
            Err(format!(
                "{text:?} is not a domain such as \"bill-pay.example.com\""
            ))
        }
    }
}
