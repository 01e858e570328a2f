//! URLs in `brand.toml`.

use std::fmt;

use serde::Deserialize;
use url::Url;

/// An https URL without user, query and fragment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct HttpsUrl(Url);

impl HttpsUrl {
    /// The URL with these path segments added.
    pub(crate) fn join_segments(&self, segments: Vec<&str>) -> Url {
        let mut url = self.0.clone();
        // An https URL always has a path.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

impl fmt::Display for HttpsUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl TryFrom<String> for HttpsUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let url = Url::parse(&text).map_err(|error| format!("{text:?} is not a URL: {error}"))?;
        let is_bare = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if url.scheme() == "https" && is_bare {
            Ok(Self(url))
        } else {
            Err(format!(
                "{text:?} is not an https URL without user, query and fragment"
            ))
        }
    }
}
