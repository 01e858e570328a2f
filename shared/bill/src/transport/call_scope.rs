//! The limits that a call runs under.

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout_at},
};

use super::request_counter::RequestCounter;

/// Deadline, request counter and concurrency limit of a call.
#[derive(Clone, Copy)]
pub(crate) struct CallScope<'a> {
    pub(crate) deadline: Instant,
    pub(crate) request_counter: &'a RequestCounter,
    permits: Option<&'a Semaphore>,
}

impl<'a> CallScope<'a> {
    pub(crate) fn unlimited(deadline: Instant, request_counter: &'a RequestCounter) -> Self {
        Self {
            deadline,
            request_counter,
            permits: None,
        }
    }

    pub(crate) fn with_limit(
        deadline: Instant,
        request_counter: &'a RequestCounter,
        permits: &'a Semaphore,
    ) -> Self {
        Self {
            deadline,
            request_counter,
            permits: Some(permits),
        }
    }

    /// The same deadline and request counter, for a request that does not count towards BILL's
    /// concurrency limit of one organization.
    pub(crate) fn without_concurrency_limit(self) -> Self {
        Self {
            permits: None,
            ..self
        }
    }

    /// Waits until another request may run. `Ok(None)` when there is no concurrency limit, `Err`
    /// when the deadline passed first.
    pub(super) async fn acquire_permit(
        &self,
    ) -> Result<Option<SemaphorePermit<'a>>, DeadlineExceeded> {
        let Some(permits) = self.permits else {
            return Ok(None);
        };
        self.before_deadline(permits.acquire())
            .await
            .map(Result::ok)
    }

    /// Runs `work`. `Err` when the deadline passed first; `work` is then dropped.
    pub(crate) async fn before_deadline<F: Future>(
        &self,
        work: F,
    ) -> Result<F::Output, DeadlineExceeded> {
        timeout_at(self.deadline, work)
            .await
            .map_err(|_| DeadlineExceeded)
    }
}

/// The caller's deadline passed before the work was done.
pub(crate) struct DeadlineExceeded;
