//! The base URL of BILL's API: which URLs are accepted, and how operations extend them.

use std::{fmt, str::FromStr};

use url::{Host, Url};

/// The base URL of BILL's API, for example `https://gateway.stage.bill.com/connect`.
///
/// The scheme is https; http is accepted only for loopback addresses. The path is kept: `/connect`
/// precedes the path of every operation.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// The base URL of the operations on webhook subscriptions: the same host, with the last path
    /// segment `connect` replaced by `connect-events`. `None` when the path ends in another
    /// segment, for which BILL documents no rule.
    #[must_use]
    pub fn events_base_url(&self) -> Option<Self> {
        let parent = self
            .0
            .path()
            .trim_end_matches('/')
            .strip_suffix("/connect")?;
        let mut url = self.0.clone();
        url.set_path(&format!("{parent}/connect-events"));
        Some(Self(url))
    }

    /// This URL with `path` appended. `path` begins with a slash.
    pub(crate) fn with_path(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}{path}", self.0.path().trim_end_matches('/')));
        url
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text.trim()).map_err(BaseUrlError::InvalidUrl)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::ContainsCredentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::HasQueryOrFragment);
        }

        match url.scheme() {
            "https" if url.host().is_some() => Ok(Self(url)),
            "http" if is_loopback(&url) => Ok(Self(url)),
            "http" => Err(BaseUrlError::NotEncrypted),
            _ => Err(BaseUrlError::UnsupportedScheme),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "BaseUrl({self})")
    }
}

/// Why a text is not a [`BaseUrl`]. The messages do not repeat the text, which may contain a
/// password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// Not an absolute URL.
    #[error("BILL's base URL is not a URL: {0}")]
    InvalidUrl(url::ParseError),
    /// A plain http URL to another machine: session ids and keys would be sent unencrypted.
    #[error("BILL's base URL must begin with https:// (http:// is for loopback addresses only)")]
    NotEncrypted,
    /// A scheme that is neither https nor http, or no host.
    #[error("BILL's base URL must begin with https:// and name a host")]
    UnsupportedScheme,
    /// User name or password inside the URL.
    #[error("BILL's base URL must not contain a user name or a password")]
    ContainsCredentials,
    /// A query or a fragment after the path.
    #[error("BILL's base URL must end with its path, without `?` or `#`")]
    HasQueryOrFragment,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_is_kept_with_and_without_trailing_slash() {
        for text in [
            "https://gateway.stage.bill.com/connect",
            "https://gateway.stage.bill.com/connect/",
            " https://gateway.stage.bill.com/connect\n",
        ] {
            let base: BaseUrl = text.parse().unwrap();
            assert_eq!(
                base.with_path("/v3/payments").as_str(),
                "https://gateway.stage.bill.com/connect/v3/payments"
            );
            assert_eq!(base.to_string(), "https://gateway.stage.bill.com/connect");
        }

        let without_path: BaseUrl = "https://bill.example".parse().unwrap();
        assert_eq!(
            without_path.with_path("/v3/payments").as_str(),
            "https://bill.example/v3/payments"
        );
    }

    #[test]
    fn events_base_url_replaces_connect_with_connect_events() {
        for (text, expected) in [
            (
                "https://gateway.stage.bill.com/connect",
                Some("https://gateway.stage.bill.com/connect-events"),
            ),
            (
                "https://gateway.prod.bill.com/connect/",
                Some("https://gateway.prod.bill.com/connect-events"),
            ),
            (
                "http://127.0.0.1:8080/bill/connect",
                Some("http://127.0.0.1:8080/bill/connect-events"),
            ),
            ("https://gateway.prod.bill.com", None),
            ("https://gateway.prod.bill.com/disconnect", None),
            ("https://gateway.prod.bill.com/connect/v3", None),
        ] {
            let base: BaseUrl = text.parse().unwrap();
            assert_eq!(
                base.events_base_url().map(|url| url.to_string()),
                expected.map(str::to_owned),
                "{text}"
            );
        }
    }

    #[test]
    fn plain_http_is_accepted_for_loopback_only() {
        for text in [
            "http://127.0.0.1:8080/connect",
            "http://localhost:1",
            "http://[::1]:9/connect",
            "http://127.9.9.9",
        ] {
            assert!(text.parse::<BaseUrl>().is_ok(), "{text}");
        }
        for text in [
            "http://gateway.stage.bill.com/connect",
            "http://localhost.example.com",
            "http://10.0.0.1",
            "http://127.0.0.1.nip.io",
        ] {
            assert_eq!(
                text.parse::<BaseUrl>(),
                Err(BaseUrlError::NotEncrypted),
                "{text}"
            );
        }
    }

    #[test]
    fn invalid_urls_are_rejected_without_echoing_them() {
        let cases = [
            ("", "not a URL"),
            ("gateway.stage.bill.com/connect", "not a URL"),
            ("ftp://bill.example", "must begin with https://"),
            (
                "https://ann:hunter2@bill.example/connect",
                "must not contain a user name",
            ),
            (
                "https://bill.example/connect?key=hunter2",
                "must end with its path",
            ),
            (
                "https://bill.example/connect#hunter2",
                "must end with its path",
            ),
        ];
        for (text, reason) in cases {
            let message = text.parse::<BaseUrl>().unwrap_err().to_string();
            assert!(message.contains(reason), "{text}: {message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }
}
