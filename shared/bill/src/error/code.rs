//! BILL's error codes.

use std::fmt;

/// One of BILL's error codes, such as `BDC_1109`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorCode(String);

impl ErrorCode {
    /// `None` when the text does not have the format of a code. The field of a response may hold
    /// any text, personal data included, and codes are logged.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("BDC_")?;
        let is_code = (1..=20).contains(&rest.len())
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');

        is_code.then(|| Self(text.to_owned()))
    }

    /// The code as BILL writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
