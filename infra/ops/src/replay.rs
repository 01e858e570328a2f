//! Catching up on events that were missed.
//!
//! BILL keeps events for 180 days, but the operations that are known to us name none that sends them again. None is needed: an
//! event says no more than that its organization is due for a look. So every organization is looked at, whatever was missed.

use anyhow::{Context, Result, bail};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::error::DisplayErrorContext;
use aws_sdk_lambda::primitives::Blob;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Has every organization looked at.
#[derive(Debug, Clone)]
pub struct Replay {
    client: Client,
    function: String,
}

/// What fan-out says that it did.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Replayed {
    /// `completed`; or `budget_spent` or `out_of_time`, and not every organization was reached.
    pub outcome: String,
    /// Organizations seen.
    pub organizations: u64,
    /// Those that were queued for a look.
    pub queued: u64,
}

impl Replayed {
    /// Whether every organization was reached.
    pub fn is_complete(&self) -> bool {
        self.outcome == "completed"
    }
}

impl Replay {
    /// By the `fan-out` function of this name.
    pub fn new(client: Client, function: String) -> Self {
        Self { client, function }
    }

    /// Queues every organization, within the hour's budget of BILL requests. Once more does no harm; it goes on where this ended.
    pub async fn run(&self) -> Result<Replayed> {
        let event = Blob::new(json!({ "all": true }).to_string());
        let answer = match self.client.invoke().function_name(&self.function).payload(event).send().await {
            Ok(answer) => answer,
            Err(error) => bail!("cannot start the function {}: {}", self.function, DisplayErrorContext(&error)),
        };
        let payload = answer.payload().map_or(b"null".as_slice(), |payload| payload.as_ref());
        if answer.function_error().is_some() {
            let failure: Value = serde_json::from_slice(payload).unwrap_or_default();
            bail!("the function {} failed: {}", self.function, failure["errorMessage"].as_str().unwrap_or("it did not say why"));
        }
        serde_json::from_slice(payload).with_context(|| format!("the function {} answered something else than a summary", self.function))
    }
}
