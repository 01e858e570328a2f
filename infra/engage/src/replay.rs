//! Recovers missed events.
//!
//! BILL keeps events for 180 days, but no operation that is known sends them again. None is needed:
//! an event only says that its organization needs a sync. So every organization is made due. That
//! is data in a table: syncs can fail, and take as many hours as the budget of BILL requests
//! requires.

use anyhow::{Context, Result, bail};
use aws_sdk_lambda::{Client, error::DisplayErrorContext, primitives::Blob};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use store::{MakeDueProgress, Organizations};

/// Makes every organization due and starts fan-out.
#[derive(Debug, Clone)]
pub struct Replay {
    organizations: Organizations,
    client: Client,
    function: String,
}

/// The result of a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayResult {
    /// The organizations that were made due.
    pub made_due: MakeDueProgress,
    /// The result of the fan-out run that followed.
    pub fan_out: FanOutResult,
}

/// The result that fan-out returns.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FanOutResult {
    /// `completed`; or `budget_spent` or `out_of_time` when the next runs queue the rest.
    pub outcome: String,
    /// Number of organizations that were queued.
    pub queued: u64,
}

impl FanOutResult {
    /// Whether every due organization was queued.
    pub fn is_complete(&self) -> bool {
        self.outcome == "completed"
    }
}

impl Replay {
    /// A replay in this table with this fan-out function. Sends no request.
    pub fn new(organizations: Organizations, client: Client, function: String) -> Self {
        Self {
            organizations,
            client,
            function,
        }
    }

    /// Makes every organization due at `at`, calling `on_progress` after each page of the table,
    /// and starts fan-out. Safe to repeat. `Err`: some organizations may not be due, or all are due
    /// and fan-out was not started; the message says which.
    pub async fn run(
        &self,
        at: Timestamp,
        on_progress: impl FnMut(&MakeDueProgress),
    ) -> Result<ReplayResult> {
        let made_due = self.organizations.make_due(at, on_progress).await;
        let made_due =
            made_due.context("not every organization was made due; run this again to continue")?;
        let fan_out = self.start_fan_out().await.with_context(|| {
            let MakeDueProgress {
                organizations,
                made_due,
                ..
            } = &made_due;
            format!(
                "all {organizations} organizations are due ({made_due} newly), and the next hourly \
                 run syncs them; \
                 but fan-out could not be started now"
            )
        })?;
        Ok(ReplayResult { made_due, fan_out })
    }

    async fn start_fan_out(&self) -> Result<FanOutResult> {
        let response = match self
            .client
            .invoke()
            .function_name(&self.function)
            .payload(Blob::new("{}"))
            .send()
            .await
        {
            Ok(response) => response,
            Err(error) => bail!(
                "cannot start the function {}: {}",
                self.function,
                DisplayErrorContext(&error)
            ),
        };
        let payload = response
            .payload()
            .map_or(b"null".as_slice(), |payload| payload.as_ref());
        if response.function_error().is_some() {
            let failure: Value = serde_json::from_slice(payload).unwrap_or_default();
            bail!(
                "the function {} failed: {}",
                self.function,
                failure["errorMessage"]
                    .as_str()
                    .unwrap_or("no error message")
            );
        }
        serde_json::from_slice(payload).with_context(|| {
            format!(
                "the function {} returned something other than a summary",
                self.function
            )
        })
    }
}
