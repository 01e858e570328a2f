use url::{Host, Url};

use crate::{error::UnsubscribeError, header::Header};

/// What lets mail clients show a button that unsubscribes with one click (RFC 8058, section 3.1).
pub(crate) fn headers(address: &Url) -> Result<[Header; 2], UnsubscribeError> {
    if !is_valid_unsubscribe_url(address) {
        return Err(UnsubscribeError::Unsafe);
    }
    Ok([
        Header::new("List-Unsubscribe", format!("<{address}>"))?,
        Header::new("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")?,
    ])
}

/// Whether a mail may carry the address: https, or http to this very machine, where the local cloud
/// runs. RFC 8058, section 3.1, wants https.
fn is_valid_unsubscribe_url(address: &Url) -> bool {
    let is_bare = address.username().is_empty()
        && address.password().is_none()
        && address.fragment().is_none();
    is_bare
        && match address.scheme() {
            "https" => true,
            "http" => is_loopback_host(address),
            _ => false,
        }
}

fn is_loopback_host(address: &Url) -> bool {
    match address.host() {
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
    fn only_https_leaves_this_machine(#[case] address: &str, #[case] expected: bool) {
        assert_eq!(
            is_valid_unsubscribe_url(&address.parse().unwrap()),
            expected
        );
    }
}
