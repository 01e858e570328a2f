//! The session id that both sign-in operations return.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::{error::Cause, response::ApiResponse};

/// Parses the response of `partnerLogin` and `loginAsUser`. `Err` when it has no session id.
pub(crate) fn parse_session_id(response: &ApiResponse) -> Result<SecretString, Cause> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct LoginResponse {
        session_id: SecretString,
    }

    let LoginResponse { session_id } = response.json()?;
    if session_id.expose_secret().is_empty() {
        Err(Cause::UnexpectedJson)
    } else {
        Ok(session_id)
    }
}
