//! The day's allowance: how many more mails the whole system may send today.

use jiff::civil::Date;
use store::{Runs, StoreError};
use tokio::sync::Mutex;

/// Mails taken from the day's count at once: what a dying run can waste of it at most.
const TAKEN_AT_ONCE: u32 = 50;

/// One run's part of the day's mails.
pub struct Allowance<'a> {
    runs: &'a Runs,
    /// `None`: as many as one likes.
    limit: Option<u32>,
    day: Date,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    mails: u32,
    is_day_used_up: bool,
}

impl<'a> Allowance<'a> {
    /// The allowance of a day.
    pub fn new(runs: &'a Runs, limit: Option<u32>, day: Date) -> Self {
        Self {
            runs,
            limit,
            day,
            held: Mutex::default(),
        }
    }

    /// Takes one mail; `false`: the day has none left. An `Err` means that nobody knows: do not
    /// send.
    pub async fn take(&self) -> Result<bool, StoreError> {
        let Some(limit) = self.limit else {
            return Ok(true);
        };
        let mut held = self.held.lock().await;
        if held.mails == 0 && !held.is_day_used_up {
            held.mails = self
                .runs
                .reserve_emails(self.day, TAKEN_AT_ONCE, limit)
                .await?;
            held.is_day_used_up = held.mails == 0;
        }
        let is_granted = held.mails > 0;
        held.mails = held.mails.saturating_sub(1);
        Ok(is_granted)
    }

    /// Gives one mail back that was not sent.
    pub async fn give_back(&self) {
        if self.limit.is_some() {
            self.held.lock().await.mails += 1;
        }
    }

    /// Returns what is left to the day. That it fails makes the day shorter, no more.
    pub async fn close(self) {
        let unused = self.held.into_inner().mails;
        if let Err(error) = self.runs.release_emails(self.day, unused).await {
            tracing::warn!(
                error_type = error.type_name(),
                unused,
                "mails of the day's limit could not be given back"
            );
        }
    }
}
