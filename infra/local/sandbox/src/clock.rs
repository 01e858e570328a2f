//! A clock that runs with the machine's, from any time that it was set to.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

/// The sandbox's time. A machine whose own clock is set does not move it.
pub(crate) struct Clock {
    setting: Mutex<Setting>,
}

#[derive(Clone, Copy)]
struct Setting {
    time: Timestamp,
    at: Instant,
}

impl Clock {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            setting: Mutex::new(Setting {
                time: now,
                at: Instant::now(),
            }),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let setting = *self.setting.lock();
        setting
            .time
            .saturating_add(setting.at.elapsed())
            .unwrap_or(setting.time)
    }

    pub(crate) fn set(&self, now: Timestamp) {
        *self.setting.lock() = Setting {
            time: now,
            at: Instant::now(),
        };
    }

    pub(crate) fn advance(&self, span: SignedDuration) {
        let mut setting = self.setting.lock();
        setting.time = setting.time.saturating_add(span).unwrap_or(setting.time);
    }
}
