//! Counts requests, so that callers can account for them in the hourly budget.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// The number of requests sent. Every attempt counts. The counter of an organization also adds to
/// its parent, the counter of the process.
#[derive(Default)]
pub(crate) struct RequestCounter {
    requests: AtomicU64,
    sign_ins: AtomicU64,
    parent: Option<Arc<RequestCounter>>,
}

impl RequestCounter {
    pub(crate) fn with_parent(parent: Arc<RequestCounter>) -> Self {
        Self {
            parent: Some(parent),
            ..Self::default()
        }
    }

    pub(crate) fn record(&self, is_sign_in: bool) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if is_sign_in {
            self.sign_ins.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(parent) = &self.parent {
            parent.record(is_sign_in);
        }
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn sign_ins(&self) -> u64 {
        self.sign_ins.load(Ordering::Relaxed)
    }
}
