//! Clock, deadline and stop signal of a run, shared by its concurrent attempts.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use runtime::Deadline;
use tokio::time::Instant;

use crate::summary::RunOutcome;

/// Time that must be left before another e-mail is started: the last e-mails of a batch take at
/// most this long.
const SEND_TIME_RESERVE: Duration = Duration::from_secs(20);

/// When a run began, when it must end, and whether it has been stopped.
pub struct RunControl {
    scheduled_at: Timestamp,
    started_at: Instant,
    deadline: Deadline,
    stop_outcome: Mutex<Option<RunOutcome>>,
}

impl RunControl {
    /// Control of a run for the time `scheduled_at` that starts now.
    pub fn new(scheduled_at: Timestamp, deadline: Deadline) -> Self {
        Self {
            scheduled_at,
            started_at: Instant::now(),
            deadline,
            stop_outcome: Mutex::new(None),
        }
    }

    /// The time that the run is for. Its day is the day of the quota.
    pub fn scheduled_at(&self) -> Timestamp {
        self.scheduled_at
    }

    /// The scheduled time plus the time that the run has taken so far. Decisions use it because the
    /// send window may close, or a notice expire, during the run.
    pub fn current_time(&self) -> Timestamp {
        let elapsed = i64::try_from(self.started_at.elapsed().as_secs()).unwrap_or(i64::MAX);
        self.scheduled_at
            .saturating_add(SignedDuration::from_secs(elapsed))
            .unwrap_or(self.scheduled_at)
    }

    /// Whether less than `needed` is left of the invocation.
    pub fn is_deadline_near(&self, needed: Duration) -> bool {
        self.deadline.is_near(needed)
    }

    /// Stops the run with this outcome: no further e-mail is started.
    pub fn stop(&self, outcome: RunOutcome) {
        *self.stop_outcome.lock() = Some(outcome);
    }

    /// How the run must end now; `None`: it may start another e-mail.
    pub fn stop_outcome(&self) -> Option<RunOutcome> {
        let stopped = *self.stop_outcome.lock();
        let is_out_of_time = self.is_deadline_near(SEND_TIME_RESERVE);
        stopped.or(is_out_of_time.then_some(RunOutcome::OutOfTime))
    }
}
