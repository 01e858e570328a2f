//! BILL's partner API with the credentials of the stack's secret.

use std::sync::Arc;

use aws_config::SdkConfig;
use bill::{BaseUrl, Bill, CredentialError, CredentialSource, Credentials};
use futures::{FutureExt, future::BoxFuture};

use crate::{
    errors::{ErrorType, Failure},
    secrets::{Secret, SecretError},
};

/// A client of BILL's API at `base_url`, and the secret that it signs in with. Nothing is read or
/// sent before the first call.
pub fn connect(
    config: &SdkConfig,
    base_url: BaseUrl,
    secret_arn: String,
) -> Result<(Bill, Secret<Credentials>), Failure> {
    let client = aws_sdk_secretsmanager::Client::new(config);
    let secret = Secret::parsed(client, secret_arn, "BILL credentials", |text| {
        Credentials::from_json(text).map_err(|error| error.to_string())
    })
    .with_shape(r#"{"username","password","appKey","devKey"}"#);
    let http = bill::http_client().map_err(|error| Failure::new(ErrorType::Internal, error))?;
    Ok((
        Bill::new(base_url, http, Arc::new(Source(secret.clone()))),
        secret,
    ))
}

struct Source(Secret<Credentials>);

impl CredentialSource for Source {
    fn credentials(&self) -> BoxFuture<'_, Result<Arc<Credentials>, CredentialError>> {
        self.0
            .get()
            .map(|answer| answer.map_err(credential_error))
            .boxed()
    }

    fn refreshed(&self) -> BoxFuture<'_, Result<Arc<Credentials>, CredentialError>> {
        self.0
            .refreshed()
            .map(|answer| answer.map_err(credential_error))
            .boxed()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn credential_error(error: SecretError) -> CredentialError {
    if error.is_retryable() {
        CredentialError::transient(error.to_string())
    } else {
        CredentialError::permanent(error.to_string())
    }
}
