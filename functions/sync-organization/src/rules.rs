//! The rules that decide stages and notices.

use engagement::Rules;
use runtime::{ErrorType, Failure};

/// The campaigns and cadences of this release. An `Err` is a defect of the build.
pub fn rules() -> Result<Rules, Failure> {
    let content = content::Content::embedded()
        .map_err(|error| Failure::new(ErrorType::ContentInvalid, error))?;
    Ok(content.rules().clone())
}
