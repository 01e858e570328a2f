use serde::{Deserialize, Deserializer, de::Error};

/// A setting that stands in headers and within sentences: some text on one line, of 80 characters
/// at most.
pub(crate) fn short_line<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    line::<80, D>(deserializer)
}

/// A setting that is read as it stands: a few sentences without a line break, of 240 characters at
/// most.
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
