//! Connects the client of BILL's API to the rest of the product: to its configuration, to the
//! credentials in Secrets Manager, and to the types of `engagement`.
//!
//! [`connect`] builds the client that fan-out, sync-organization and the operators' command use.
//! The client reads the credentials from a [`Secret`] when it signs in, and again when BILL rejects
//! them, because an operator may have replaced them. [`listed_organization`] maps a row of BILL's
//! list.
//!
//! The crate stands between others that do not know each other. `bill` asks a [`CredentialSource`]
//! for credentials and does not know where they are stored. `runtime` reads and caches secrets and
//! does not know BILL. `engagement` knows neither.

mod listing;

use std::sync::Arc;

use aws_config::SdkConfig;
use bill::{BaseUrl, BillClient, CredentialError, CredentialSource, Credentials};
use futures::{FutureExt, future::BoxFuture};
use runtime::{ErrorType, Failure, Secret, SecretError};

pub use listing::listed_organization;

/// The format of the secret, for errors.
const CREDENTIALS_SHAPE: &str = r#"{"username","password","appKey","devKey"}"#;

environment::config! {
    /// Where BILL's API is, and where its credentials are.
    pub struct BillConfig {
        /// Base URL of BILL's API.
        pub bill_base_url: BaseUrl,
        /// ARN of the secret with the credentials.
        pub bill_credentials_secret: String,
    }
}

/// A client of BILL's API, and the secret with its credentials. Neither reads nor sends anything
/// before its first use.
///
/// An `Err` means that the HTTP client could not be built. It is permanent.
pub fn connect(
    aws: &SdkConfig,
    config: BillConfig,
) -> Result<(BillClient, Secret<Credentials>), Failure> {
    let secret = Secret::with_parser(
        aws,
        config.bill_credentials_secret,
        "BILL credentials",
        |text| Credentials::from_json(text).map_err(|error| error.to_string()),
    )
    .with_shape(CREDENTIALS_SHAPE);
    let http = bill::http_client().map_err(|error| Failure::new(ErrorType::Internal, error))?;
    let source = Arc::new(SecretCredentials(secret.clone()));

    Ok((BillClient::new(config.bill_base_url, http, source), secret))
}

/// The credentials in Secrets Manager as a source for the client.
struct SecretCredentials(Secret<Credentials>);

impl CredentialSource for SecretCredentials {
    fn credentials(&self) -> BoxFuture<'_, Result<Arc<Credentials>, CredentialError>> {
        self.0
            .get()
            .map(|result| result.map_err(credential_error))
            .boxed()
    }

    fn refresh(&self) -> BoxFuture<'_, Result<Arc<Credentials>, CredentialError>> {
        self.0
            .refresh()
            .map(|result| result.map_err(credential_error))
            .boxed()
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature that `map_err` needs"
)]
fn credential_error(error: SecretError) -> CredentialError {
    if error.is_retryable() {
        CredentialError::transient(error.to_string())
    } else {
        CredentialError::permanent(error.to_string())
    }
}
