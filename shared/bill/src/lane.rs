use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout_at},
};

/// What a call runs under: how long it may take, who counts its requests, and how many may run
/// beside it.
#[derive(Clone, Copy)]
pub(crate) struct CallScope<'a> {
    pub(crate) deadline: Instant,
    pub(crate) tally: &'a RequestCounter,
    permits: Option<&'a Semaphore>,
}

impl<'a> CallScope<'a> {
    pub(crate) fn open(deadline: Instant, tally: &'a RequestCounter) -> Self {
        Self {
            deadline,
            tally,
            permits: None,
        }
    }

    pub(crate) fn limited(
        deadline: Instant,
        tally: &'a RequestCounter,
        permits: &'a Semaphore,
    ) -> Self {
        Self {
            deadline,
            tally,
            permits: Some(permits),
        }
    }

    /// The same deadline and tally for a request that is not about one organization.
    pub(crate) fn without_concurrency_limit(self) -> Self {
        Self {
            permits: None,
            ..self
        }
    }

    /// Waits for a free place among the organization's requests. `Err` when the deadline came
    /// first.
    pub(crate) async fn permit(&self) -> Result<Option<SemaphorePermit<'a>>, OutOfTime> {
        let Some(permits) = self.permits else {
            return Ok(None);
        };
        self.before_deadline(permits.acquire())
            .await
            .map(Result::ok)
    }

    pub(crate) async fn before_deadline<F: Future>(&self, work: F) -> Result<F::Output, OutOfTime> {
        timeout_at(self.deadline, work).await.map_err(|_| OutOfTime)
    }
}

/// The caller's deadline came before the work was done.
pub(crate) struct OutOfTime;

/// Requests made, each try counted by itself. A scope's tally adds to its parent's.
#[derive(Default)]
pub(crate) struct RequestCounter {
    requests: AtomicU64,
    sign_ins: AtomicU64,
    parent: Option<Arc<RequestCounter>>,
}

impl RequestCounter {
    pub(crate) fn within(parent: Arc<RequestCounter>) -> Self {
        Self {
            parent: Some(parent),
            ..Self::default()
        }
    }

    pub(crate) fn count(&self, is_sign_in: bool) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if is_sign_in {
            self.sign_ins.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(parent) = &self.parent {
            parent.count(is_sign_in);
        }
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn sign_ins(&self) -> u64 {
        self.sign_ins.load(Ordering::Relaxed)
    }
}
