//! Connects the client of BILL's API to the credentials in Secrets Manager.
//!
//! [`connect`] is all there is: it builds the client that fan-out, sync-organization and the
//! operators' command use. The client reads the credentials from a [`Secret`] when it signs in, and
//! again when BILL rejects them, because an operator may have replaced them.
//!
//! The crate stands between two others that do not know each other. `bill` asks a
//! [`CredentialSource`] for credentials and does not know where they are stored. `runtime` reads
//! and caches secrets and does not know BILL. The implementation of the trait needs both.

use std::sync::Arc;

use aws_config::SdkConfig;
use bill::{BaseUrl, BillClient, CredentialError, CredentialSource, Credentials};
use futures::{FutureExt, future::BoxFuture};
use runtime::{ErrorType, Failure, Secret, SecretError};

/// The format of the secret, for errors.
const CREDENTIALS_SHAPE: &str = r#"{"username","password","appKey","devKey"}"#;

/// A client of BILL's API at `base_url`, and the secret with its credentials. Neither reads nor
/// sends anything before its first use.
///
/// An `Err` means that the HTTP client could not be built. It is permanent.
pub fn connect(
    aws: &SdkConfig,
    base_url: BaseUrl,
    secret_arn: String,
) -> Result<(BillClient, Secret<Credentials>), Failure> {
    let secrets_manager = aws_sdk_secretsmanager::Client::new(aws);
    let secret = Secret::with_parser(secrets_manager, secret_arn, "BILL credentials", |text| {
        Credentials::from_json(text).map_err(|error| error.to_string())
    })
    .with_shape(CREDENTIALS_SHAPE);
    let http = bill::http_client().map_err(|error| Failure::new(ErrorType::Internal, error))?;
    let source = Arc::new(SecretCredentials(secret.clone()));

    Ok((BillClient::new(base_url, http, source), secret))
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
