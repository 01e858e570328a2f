//! Deserialization of settings that consist of one line of text.

use serde::{Deserialize, Deserializer, de::Error};

/// A setting that is used in headers and within sentences: one line of 1 to 80 characters.
pub(crate) fn short_line<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    line::<80, D>(deserializer)
}

/// A setting that consists of a few sentences: one line of 1 to 240 characters.
pub(crate) fn sentences<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    line::<240, D>(deserializer)
}

fn line<'de, const MAX_CHARACTERS: usize, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty()
        || text.chars().any(char::is_control)
        || text.chars().count() > MAX_CHARACTERS
    {
        return Err(D::Error::custom(format!(
            "{text:?} is not a line of 1 to {MAX_CHARACTERS} characters"
        )));
    }
    Ok(text.trim().to_owned())
}
