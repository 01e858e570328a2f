//! The HTTP client of the process.

use std::time::Duration;

/// Longest duration of one request, body included.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Lambda freezes the process between invocations, and BILL may close connections meanwhile. The
/// value is shorter than such a pause, so that no request uses a closed connection.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// Builds the HTTP client for `BillClient`. Build one per process.
///
/// Every request has a connect and a total time-out. TLS is rustls. Redirects are not followed,
/// because they would send session ids and keys to another host. Proxy settings of the environment
/// are ignored.
pub fn http_client() -> Result<reqwest::Client, HttpClientError> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the only place that builds an HTTP client"
    )]
    let builder = reqwest::Client::builder();
    let client = builder
        .user_agent(concat!("bill-engage/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT)
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .build()?;

    Ok(client)
}

/// The HTTP client cannot be built because the TLS configuration of the machine is unusable. A
/// retry does not help.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be built: {0}")]
pub struct HttpClientError(#[from] reqwest::Error);
