//! Catching up on events that were missed.
//!
//! BILL keeps events for 180 days, but the operations that are known to us name none that sends
//! them again. None is needed: an event says no more than that its organization is due for a look.
//! So every organization is made due, whatever was missed. That is data in a table: looks may fail,
//! and take as many hours as the budget of BILL requests wants.

use anyhow::{Context, Result, bail};
use aws_sdk_lambda::{Client, error::DisplayErrorContext, primitives::Blob};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use store::{MakeDueProgress, Organizations};

/// Has every organization looked at.
#[derive(Debug, Clone)]
pub struct Replay {
    organizations: Organizations,
    client: Client,
    function: String,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// Which organizations were made due.
    pub made_due: MakeDueProgress,
    /// How the run of fan-out that followed began to look at them.
    pub begun: FanOutResult,
}

/// What fan-out says that it did.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FanOutResult {
    /// `completed`; or `budget_spent` or `out_of_time`, and the next runs do the rest.
    pub outcome: String,
    /// Organizations that were queued for a look.
    pub queued: u64,
}

impl FanOutResult {
    /// Whether every organization that is due was queued.
    pub fn is_complete(&self) -> bool {
        self.outcome == "completed"
    }
}

impl Replay {
    /// In the table of organizations, and by the `fan-out` function of this name.
    pub fn new(organizations: Organizations, client: Client, function: String) -> Self {
        Self {
            organizations,
            client,
            function,
        }
    }

    /// Makes every organization due at `at`, telling what is done after each page of the table, and
    /// has fan-out begin. Once more does no harm. `Err`: some may not be due, or all are and
    /// fan-out did not begin; the message says which.
    pub async fn run(&self, at: Timestamp, told: impl FnMut(&MakeDueProgress)) -> Result<Replayed> {
        let made_due = self.organizations.make_due(at, told).await;
        let made_due = made_due.context(
            "not every organization was made due; running this again goes on with the rest",
        )?;
        let begun = self.begin().await.with_context(|| {
            let MakeDueProgress { organizations, made_due, .. } = &made_due;
            format!(
                "the {organizations} organizations are due, {made_due} of them by this, and the next hourly run looks at them; \
                 but it could not be begun at once"
            )
        })?;
        Ok(Replayed { made_due, begun })
    }

    async fn begin(&self) -> Result<FanOutResult> {
        let answer = match self
            .client
            .invoke()
            .function_name(&self.function)
            .payload(Blob::new("{}"))
            .send()
            .await
        {
            Ok(answer) => answer,
            Err(error) => bail!(
                "cannot start the function {}: {}",
                self.function,
                DisplayErrorContext(&error)
            ),
        };
        let payload = answer
            .payload()
            .map_or(b"null".as_slice(), |payload| payload.as_ref());
        if answer.function_error().is_some() {
            let failure: Value = serde_json::from_slice(payload).unwrap_or_default();
            bail!(
                "the function {} failed: {}",
                self.function,
                failure["errorMessage"]
                    .as_str()
                    .unwrap_or("it did not say why")
            );
        }
        serde_json::from_slice(payload).with_context(|| {
            format!(
                "the function {} answered something else than a summary",
                self.function
            )
        })
    }
}
