//! The only file that reads the clock. Everywhere else time is an argument, so that tests and
//! replays choose it.

use std::time::{Duration, SystemTime};

use jiff::{Timestamp, Unit};

/// The current time in whole seconds, the precision of stored items and messages.
#[expect(
    clippy::disallowed_methods,
    reason = "clippy.toml sends every other use of the clock here"
)]
pub fn now() -> Timestamp {
    truncate_to_seconds(Timestamp::now())
}

/// `time` without its fraction of a second.
pub(crate) fn truncate_to_seconds(time: Timestamp) -> Timestamp {
    let round = jiff::TimestampRound::new()
        .smallest(Unit::Second)
        .mode(jiff::RoundMode::Trunc);

    time.round(round).unwrap_or(time)
}

/// The duration from now until `time`, zero if `time` has passed.
#[expect(
    clippy::disallowed_methods,
    reason = "clippy.toml sends every other use of the clock here"
)]
pub(crate) fn duration_until(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::now()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn now_has_no_fraction_of_a_second() {
        assert_eq!(now().subsec_nanosecond(), 0);
    }

    #[test]
    fn the_duration_until_a_past_time_is_zero() {
        assert_eq!(duration_until(SystemTime::UNIX_EPOCH), Duration::ZERO);
    }
}
