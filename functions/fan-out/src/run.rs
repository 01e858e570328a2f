//! One run: its steps, and what they share.

use std::{collections::HashSet, time::Duration};

use engagement::OrganizationId;
use jiff::Timestamp;
use runtime::{Failure, Invocation};
use store::SweepState;

use crate::{
    fan_out::FanOut,
    page_reader::PageReader,
    summary::{RunOutcome, Summary},
};

/// Time that must be left before a step goes on with another page.
const PAGE_TIME_RESERVE: Duration = Duration::from_secs(20);

/// One run in progress.
pub struct Run<'a> {
    pub fan_out: &'a FanOut,
    pub invocation: &'a Invocation,
    pub pages: PageReader<'a>,
    pub as_of: Timestamp,
    pub state: SweepState,
    /// The state as it was loaded or saved last.
    pub saved: SweepState,
    /// The organizations queued so far.
    pub queued: HashSet<OrganizationId>,
    pub summary: Summary,
}

impl Run<'_> {
    /// Takes the steps in their order. What a step leaves undone, the next run finds.
    ///
    /// An `Err` of a listing comes after the organizations that are due were queued.
    pub async fn take_steps(&mut self, all: bool) -> Result<(), Failure> {
        if all {
            self.request_all().await?;
        }
        self.summary.outcome = self.migrate_to_index().await?;
        if self.summary.outcome != RunOutcome::Completed {
            return Ok(());
        }

        let new = self.list_new().await;
        self.make_all_due().await?;
        self.summary.outcome = self.queue_due().await?;
        new?;

        let before = (self.summary.new, self.summary.changed);
        self.list_all().await?;
        if (self.summary.new, self.summary.changed) != before {
            self.summary.outcome = self.queue_due().await?;
        }
        Ok(())
    }

    /// Whether too little time is left for another page.
    pub fn is_out_of_time(&self) -> bool {
        self.invocation.deadline.is_near(PAGE_TIME_RESERVE)
    }

    /// Counts consecutive sweeps that the budget ended, and forgets them after one that it did not.
    pub async fn count_sweep_without_budget(&mut self) -> Result<(), Failure> {
        let before = self.state.sweeps_without_budget;
        self.state.sweeps_without_budget = match self.summary.outcome {
            RunOutcome::BudgetSpent => before + 1,
            RunOutcome::Completed | RunOutcome::OutOfTime => 0,
        };

        if self.state.sweeps_without_budget == before {
            return Ok(());
        }
        self.save().await
    }

    /// Saves the state of the sweeps.
    pub async fn save(&mut self) -> Result<(), Failure> {
        let now = self.invocation.now();
        self.fan_out
            .states
            .save(&self.saved, &self.state, now)
            .await?;

        self.saved = self.state.clone();
        Ok(())
    }
}
