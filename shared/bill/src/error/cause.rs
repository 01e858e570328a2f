//! Causes of failures that have neither an HTTP status nor an error code.

use crate::credentials::CredentialError;

/// Why a call failed, when no status and no error code of BILL says so.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Cause {
    /// The credential source returned an error.
    #[error("{0}")]
    Credentials(CredentialError),
    /// A key, a session id or an organization id contains characters that HTTP headers do not
    /// allow.
    #[error("a header value is invalid")]
    InvalidHeaderValue,
    /// The connection to BILL could not be opened.
    #[error("no connection")]
    ConnectFailed,
    /// The request exceeded its time-out.
    #[error("timed out")]
    TimedOut,
    /// The connection closed before the response arrived.
    #[error("connection lost")]
    ConnectionLost,
    /// The body of the response ended early.
    #[error("body is incomplete")]
    IncompleteBody,
    /// The body of the response is not JSON, for example a gateway's HTML page.
    #[error("body is not JSON")]
    NotJson,
    /// The body of the response exceeds the size limit.
    #[error("body is too large")]
    BodyTooLarge,
    /// The body of the response is JSON with another structure than documented.
    #[error("body has an unexpected structure")]
    UnexpectedJson,
    /// A page names its own token as the next one. Following it would never end.
    #[error("list repeats its page token")]
    RepeatedPageToken,
    /// The call needs a session of the organization, and `sign_in` was not called.
    #[error("not signed in")]
    NotSignedIn,
}

impl From<&serde_json::Error> for Cause {
    fn from(error: &serde_json::Error) -> Self {
        match error.classify() {
            serde_json::error::Category::Eof => Self::IncompleteBody,
            serde_json::error::Category::Data => Self::UnexpectedJson,
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => Self::NotJson,
        }
    }
}
