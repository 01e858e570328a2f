//! The headers of one-click unsubscribe.

use url::{Host, Url};

use crate::{error::UnsubscribeError, header::Header};

/// The headers with which e-mail clients show an unsubscribe button (RFC 8058, section 3.1).
pub(crate) fn headers(url: &Url) -> Result<[Header; 2], UnsubscribeError> {
    if !is_valid_unsubscribe_url(url) {
        return Err(UnsubscribeError::InsecureUrl);
    }
    Ok([
        Header::new("List-Unsubscribe", format!("<{url}>"))?,
        Header::new("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")?,
    ])
}

/// Whether the URL is https (required by RFC 8058, section 3.1), or http to a loopback address, as
/// in the local cloud.
fn is_valid_unsubscribe_url(url: &Url) -> bool {
    let is_bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    is_bare
        && match url.scheme() {
            "https" => true,
            "http" => is_loopback_host(url),
            _ => false,
        }
}

fn is_loopback_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://api.example/unsubscribe/token", true)]
    #[case("http://localhost:4566/unsubscribe/token", true)]
    #[case("http://abc.execute-api.localhost:4566/unsubscribe/token", true)]
    #[case("http://127.0.0.1:4566/unsubscribe/token", true)]
    #[case("http://[::1]:4566/unsubscribe/token", true)]
    #[case("http://api.example/unsubscribe/token", false)]
    #[case("http://localhost.example/unsubscribe/token", false)]
    #[case("http://evil-localhost/unsubscribe/token", false)]
    #[case("https://user@api.example/unsubscribe/token", false)]
    #[case("https://api.example/unsubscribe/token#here", false)]
    #[case("mailto:leave@api.example", false)]
    #[case("ftp://localhost/unsubscribe/token", false)]
    fn unsubscribe_url_is_https_or_loopback_http(#[case] url: &str, #[case] expected: bool) {
        assert_eq!(is_valid_unsubscribe_url(&url.parse().unwrap()), expected);
    }
}
