use serde::{Deserialize, Deserializer, de::Error};

/// Most characters of a short line.
const MAX_CHARACTERS: usize = 80;

/// A setting that stands in headers and within sentences: some text on one line.
pub(crate) fn short_line<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() || text.chars().any(char::is_control) || text.chars().count() > MAX_CHARACTERS {
        return Err(D::Error::custom(format!("{text:?} is not a line of 1 to {MAX_CHARACTERS} characters")));
    }
    Ok(text.trim().to_owned())
}
