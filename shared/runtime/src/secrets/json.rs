//! Parses the JSON of a secret without quoting it in errors.

use serde::de::DeserializeOwned;

/// Parses JSON. The error names the position or the field, and never contains a value. The messages
/// of serde quote invalid values and are not used.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let value = serde_json::from_str::<serde_json::Value>(text).map_err(|error| {
        format!(
            "it is not JSON (line {}, column {})",
            error.line(),
            error.column()
        )
    })?;

    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let message = error.inner().to_string();
        match message.strip_prefix("missing field ") {
            Some(field) => format!("the field {field} is missing"),
            None if path == "." => "it is not a JSON object of the expected shape".to_owned(),
            None => format!("the field `{path}` is not of the expected type"),
        }
    })
}
