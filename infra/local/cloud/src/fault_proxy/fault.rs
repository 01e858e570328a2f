//! The faults that a test can inject into AWS calls.

use std::time::Duration;

/// What the proxy does with one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AwsFault {
    /// No fault: forward the call and return the response.
    PassThrough,
    /// Do not forward the call. Return this error in the form of the AWS JSON protocols.
    ErrorResponse {
        /// HTTP status.
        status: u16,
        /// AWS error code, for example `ThrottlingException`.
        code: String,
        /// Error message.
        message: String,
    },
    /// Do not forward the call. Close the connection without a response.
    DropRequest,
    /// Forward the call, discard the response and close the connection. The client cannot know
    /// whether AWS performed the operation.
    DropResponse,
    /// Forward the call at once and hold the response back for this long. A client that times out
    /// cannot know whether AWS performed the operation.
    Delay(Duration),
}

impl AwsFault {
    /// An error response whose message names the fault proxy as its source.
    pub fn error_response(status: u16, code: &str) -> Self {
        Self::ErrorResponse {
            status,
            code: code.to_owned(),
            message: "injected by the fault proxy of the local cloud".to_owned(),
        }
    }
}
