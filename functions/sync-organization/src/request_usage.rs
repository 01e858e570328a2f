//! Counts the BILL requests of a batch.

use std::sync::atomic::{AtomicU32, Ordering};

use bill::OrganizationClient;
use store::BudgetAmount;

/// The BILL requests and sign-ins of a batch. Its records add to it concurrently.
#[derive(Default)]
pub struct RequestUsage {
    requests: AtomicU32,
    sign_ins: AtomicU32,
}

impl RequestUsage {
    /// Adds the requests that a client made, including failed ones. To be called once per client.
    pub fn add(&self, calls: &OrganizationClient) {
        self.requests.fetch_add(
            u32::try_from(calls.requests()).unwrap_or(u32::MAX),
            Ordering::Relaxed,
        );
        self.sign_ins.fetch_add(
            u32::try_from(calls.sign_ins()).unwrap_or(u32::MAX),
            Ordering::Relaxed,
        );
    }

    /// The total of the batch so far.
    pub fn total(&self) -> BudgetAmount {
        BudgetAmount {
            requests: self.requests.load(Ordering::Relaxed),
            sign_ins: self.sign_ins.load(Ordering::Relaxed),
        }
    }
}
