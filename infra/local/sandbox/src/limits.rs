//! Request limits: per clock hour, and at once per organization.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use parking_lot::Mutex;

/// One developer key's use of its limits.
#[derive(Default)]
pub(crate) struct Limits {
    requests: Mutex<Hour>,
    sign_ins: Mutex<Hour>,
    under_way: Arc<Mutex<HashMap<String, usize>>>,
}

/// A clock hour (number since 1970) and what was counted in it.
#[derive(Default)]
struct Hour {
    number: i64,
    count: u64,
}

impl Limits {
    /// Counts a request; `false` when the clock hour has none left.
    pub(crate) fn take_request(&self, now: Timestamp, limit: u64) -> bool {
        self.requests.lock().take(now, limit)
    }

    /// Counts a sign-in; `false` when the clock hour has none left.
    pub(crate) fn take_sign_in(&self, now: Timestamp, limit: u64) -> bool {
        self.sign_ins.lock().take(now, limit)
    }

    /// Counts a request for this organization as under way until the result is dropped.
    pub(crate) fn enter(&self, organization_id: &str) -> UnderWay {
        let mut under_way = self.under_way.lock();
        let concurrent = under_way.entry(organization_id.to_owned()).or_default();
        *concurrent += 1;
        UnderWay {
            concurrent: *concurrent,
            organization_id: organization_id.to_owned(),
            all: Arc::clone(&self.under_way),
        }
    }
}

impl Hour {
    fn take(&mut self, now: Timestamp, limit: u64) -> bool {
        let number = now.as_second().div_euclid(3_600);
        if self.number != number {
            *self = Self { number, count: 0 };
        }
        self.count += 1;
        self.count <= limit
    }
}

/// A request that is under way.
pub(crate) struct UnderWay {
    /// How many were under way for its organization when it began, itself included.
    pub(crate) concurrent: usize,
    organization_id: String,
    all: Arc<Mutex<HashMap<String, usize>>>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        if let Some(concurrent) = all.get_mut(&self.organization_id) {
            *concurrent -= 1;
            if *concurrent == 0 {
                all.remove(&self.organization_id);
            }
        }
    }
}
