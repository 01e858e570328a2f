//! The sandbox's clock: it can be set to any time and runs on from there.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

/// The sandbox's clock. Setting the machine's clock does not change it.
pub(crate) struct Clock {
    anchor: Mutex<ClockAnchor>,
}

/// The time that the clock was set to, and when.
#[derive(Clone, Copy)]
struct ClockAnchor {
    time: Timestamp,
    set_at: Instant,
}

impl Clock {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            anchor: Mutex::new(ClockAnchor::new(now)),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let anchor = *self.anchor.lock();

        anchor
            .time
            .saturating_add(anchor.set_at.elapsed())
            .unwrap_or(anchor.time)
    }

    pub(crate) fn set(&self, now: Timestamp) {
        *self.anchor.lock() = ClockAnchor::new(now);
    }

    pub(crate) fn advance(&self, span: SignedDuration) {
        let mut anchor = self.anchor.lock();
        anchor.time = anchor.time.saturating_add(span).unwrap_or(anchor.time);
    }
}

impl ClockAnchor {
    fn new(time: Timestamp) -> Self {
        Self {
            time,
            set_at: Instant::now(),
        }
    }
}
