//! Catches up on missed events.
//!
//! BILL keeps events for 180 days, but documents no operation that sends them again. None is
//! needed: an event only makes its organization due for a sync. So a replay makes every
//! organization due, whichever events were missed. The due times are stored in the organizations
//! table, so syncs may fail and be retried, and may take as many hours as the budget of BILL
//! requests requires.

use anyhow::{Context, Result, bail};
use aws_sdk_lambda::{Client, error::DisplayErrorContext, primitives::Blob};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use store::{MakeDueProgress, Organizations};

/// Has every organization synced.
#[derive(Debug, Clone)]
pub struct Replay {
    organizations: Organizations,
    client: Client,
    function: String,
}

/// The result of a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayResult {
    /// Which organizations were made due.
    pub made_due: MakeDueProgress,
    /// What the fan-out run that followed did.
    pub fan_out: FanOutResult,
}

/// The part of the fan-out function's response that a replay uses.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FanOutResult {
    /// `completed`, `budget_spent` or `out_of_time`. In the last two cases the following hourly
    /// runs queue the remaining organizations.
    pub outcome: String,
    /// Number of organizations that were queued for a sync.
    pub queued: u64,
}

impl FanOutResult {
    /// Whether every organization that is due was queued.
    pub fn is_complete(&self) -> bool {
        self.outcome == "completed"
    }
}

impl Replay {
    /// `function` is the name of the fan-out function.
    pub fn new(organizations: Organizations, client: Client, function: String) -> Self {
        Self {
            organizations,
            client,
            function,
        }
    }

    /// Makes every organization due at `at` and starts fan-out. Calls `on_progress` after each page
    /// of the organizations table.
    ///
    /// `Err`: some organizations may not be due, or all are due and fan-out could not be started;
    /// the message says which. In both cases it is safe to run the replay again.
    pub async fn run(
        &self,
        at: Timestamp,
        on_progress: impl FnMut(&MakeDueProgress),
    ) -> Result<ReplayResult> {
        let made_due =
            self.organizations.make_due(at, on_progress).await.context(
                "not every organization was made due; run the command again to continue",
            )?;

        let fan_out = self.start_fan_out().await.with_context(|| {
            format!(
                "the {} organizations are due ({} of them newly) and the next hourly run syncs \
                 them, but fan-out could not be started now",
                made_due.organizations, made_due.made_due
            )
        })?;

        Ok(ReplayResult { made_due, fan_out })
    }

    /// Invokes the fan-out function and waits for its response.
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
                "cannot invoke the function {}: {}",
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
                "the response of the function {} is not a fan-out summary",
                self.function
            )
        })
    }
}
