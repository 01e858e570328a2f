//! Request limits: requests and logins in a clock hour, and concurrent requests about one
//! organization.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use parking_lot::Mutex;

/// The usage of one developer key's limits.
#[derive(Default)]
pub(crate) struct Limits {
    requests: Mutex<HourlyCounter>,
    sign_ins: Mutex<HourlyCounter>,
    in_flight: Arc<Mutex<HashMap<String, usize>>>,
}

impl Limits {
    /// Counts a request. `false` means that the clock hour's `limit` is exceeded.
    pub(crate) fn take_request(&self, now: Timestamp, limit: u64) -> bool {
        self.requests.lock().try_increment(now, limit)
    }

    /// Counts a `loginAsUser`. `false` means that the clock hour's `limit` is exceeded.
    pub(crate) fn take_sign_in(&self, now: Timestamp, limit: u64) -> bool {
        self.sign_ins.lock().try_increment(now, limit)
    }

    /// Counts a request about this organization as in flight until the result is dropped.
    pub(crate) fn start_request(&self, organization_id: &str) -> InFlightRequest {
        let mut in_flight = self.in_flight.lock();
        let concurrent = in_flight.entry(organization_id.to_owned()).or_default();
        *concurrent += 1;

        InFlightRequest {
            concurrent: *concurrent,
            organization_id: organization_id.to_owned(),
            counts: Arc::clone(&self.in_flight),
        }
    }
}

/// A count in one clock hour.
#[derive(Default)]
struct HourlyCounter {
    /// Hours since 1970.
    hour: i64,
    count: u64,
}

impl HourlyCounter {
    /// `false` means that the limit is exceeded. The attempt counts nevertheless.
    fn try_increment(&mut self, now: Timestamp, limit: u64) -> bool {
        let hour = now.as_second().div_euclid(3_600);
        if self.hour != hour {
            *self = Self { hour, count: 0 };
        }
        self.count += 1;

        self.count <= limit
    }
}

/// A request about an organization, in flight until it is dropped.
pub(crate) struct InFlightRequest {
    /// Requests in flight for the organization when this one started, including this one.
    pub(crate) concurrent: usize,
    organization_id: String,
    counts: Arc<Mutex<HashMap<String, usize>>>,
}

impl Drop for InFlightRequest {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        if let Some(concurrent) = counts.get_mut(&self.organization_id) {
            *concurrent -= 1;
            if *concurrent == 0 {
                counts.remove(&self.organization_id);
            }
        }
    }
}
