use std::{fmt, str::FromStr};

use url::{Host, Url};

/// Where BILL's API answers, for example `https://gateway.stage.bill.com/connect`.
///
/// Always https, except for a server on this very machine. The path is kept: `/connect` comes
/// before every operation's own path.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// The address of one operation; `path` begins with a slash.
    pub(crate) fn join(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}{path}", self.0.path().trim_end_matches('/')));
        url
    }
}

impl BaseUrl {
    /// Where the operations about webhooks answer: on the same host, with the last segment
    /// `connect` of the path replaced by `connect-events`. `None`: the path ends in something else,
    /// and BILL names no other rule.
    #[must_use]
    pub fn events(&self) -> Option<Self> {
        let parent = self
            .0
            .path()
            .trim_end_matches('/')
            .strip_suffix("/connect")?;
        let mut url = self.0.clone();
        url.set_path(&format!("{parent}/connect-events"));
        Some(Self(url))
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text.trim()).map_err(BaseUrlError::Unreadable)?;
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

/// Why a text is no [`BaseUrl`]. None of them repeats the text, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// Not an absolute URL.
    #[error("BILL's base URL is not a URL: {0}")]
    Unreadable(url::ParseError),
    /// Sessions and keys would cross the network in clear.
    #[error(
        "BILL's base URL must begin with https:// (http:// is for a server on this machine alone)"
    )]
    NotEncrypted,
    /// A scheme that is neither https nor http, or no host.
    #[error("BILL's base URL must begin with https:// and name a host")]
    UnsupportedScheme,
    /// User name or password inside the URL.
    #[error("BILL's base URL must not hold a user name or a password")]
    ContainsCredentials,
    /// A query or a fragment after the path.
    #[error("BILL's base URL must end with its path, without `?` or `#`")]
    HasQueryOrFragment,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_kept_with_and_without_a_final_slash() {
        for text in [
            "https://gateway.stage.bill.com/connect",
            "https://gateway.stage.bill.com/connect/",
            " https://gateway.stage.bill.com/connect\n",
        ] {
            let base: BaseUrl = text.parse().unwrap();
            assert_eq!(
                base.join("/v3/payments").as_str(),
                "https://gateway.stage.bill.com/connect/v3/payments"
            );
            assert_eq!(base.to_string(), "https://gateway.stage.bill.com/connect");
        }
        let bare: BaseUrl = "https://bill.example".parse().unwrap();
        assert_eq!(
            bare.join("/v3/payments").as_str(),
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
                base.events().map(|events| events.to_string()),
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
                "must not hold a user name",
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
