//! The only file that reads the clock. Everywhere else time is an argument, so that tests and
//! replays choose it.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp, Unit};

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

/// How long a clock hour is so young that another clock may still be in the hour before.
const START_OF_HOUR: SignedDuration = SignedDuration::from_mins(1);

/// The time until the first minute of the clock hour is over. `None`: it is over.
pub fn until_start_of_hour_is_over(now: Timestamp) -> Option<Duration> {
    let elapsed = SignedDuration::from_secs(now.as_second().rem_euclid(3_600));

    (START_OF_HOUR - elapsed)
        .try_into()
        .ok()
        .filter(|rest: &Duration| !rest.is_zero())
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
    fn the_first_minute_of_an_hour_ends() {
        let rest = |time: &str| until_start_of_hour_is_over(time.parse().unwrap());

        assert_eq!(rest("2026-11-25T09:59:59Z"), None);
        assert_eq!(rest("2026-11-25T10:00:00Z"), Some(Duration::from_mins(1)));
        assert_eq!(rest("2026-11-25T10:00:59Z"), Some(Duration::from_secs(1)));
        assert_eq!(rest("2026-11-25T10:01:00Z"), None);
    }

    #[test]
    fn the_duration_until_a_past_time_is_zero() {
        assert_eq!(duration_until(SystemTime::UNIX_EPOCH), Duration::ZERO);
    }
}
