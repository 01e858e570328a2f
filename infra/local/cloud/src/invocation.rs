//! Invokes the functions of the stack.

use anyhow::Result;
use aws_sdk_lambda::{primitives::Blob, types::LogType};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

use crate::cloud::LocalCloud;

/// The result of a function invocation.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The function's response, or the error's `errorType` and `errorMessage`.
    pub payload: Value,
    /// Set when the function failed.
    pub function_error: Option<String>,
    /// The last 4 KB of the log.
    pub log_tail: String,
}

impl LocalCloud {
    /// Invokes the function that a stack output names and waits for its response. `Err` means that
    /// the function could not be invoked. A function that fails sets
    /// [`Invocation::function_error`].
    pub async fn invoke(&self, function_output: &str, event: &Value) -> Result<Invocation> {
        let response = self
            .lambda()
            .invoke()
            .function_name(self.output(function_output)?)
            .log_type(LogType::Tail)
            .payload(Blob::new(serde_json::to_vec(event)?))
            .send()
            .await?;
        let log_tail = response
            .log_result()
            .map(decode_base64)
            .transpose()?
            .unwrap_or_default();
        let payload = response
            .payload()
            .map_or(b"null".as_slice(), |payload| payload.as_ref());

        Ok(Invocation {
            payload: serde_json::from_slice(payload)?,
            function_error: response.function_error().map(str::to_owned),
            log_tail,
        })
    }
}

fn decode_base64(encoded: &str) -> Result<String> {
    Ok(String::from_utf8_lossy(&BASE64_STANDARD.decode(encoded)?).into_owned())
}
