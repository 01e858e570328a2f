//! The one place that reads the clock; everywhere else time is an argument.

use std::time::{Duration, SystemTime};

use jiff::{Timestamp, Unit};

/// The present moment in whole seconds, as records and messages store it.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the place that the others are told to ask"
)]
pub fn now() -> Timestamp {
    whole_seconds(Timestamp::now())
}

/// `moment` without its fraction of a second.
pub(crate) fn whole_seconds(moment: Timestamp) -> Timestamp {
    let round = jiff::TimestampRound::new()
        .smallest(Unit::Second)
        .mode(jiff::RoundMode::Trunc);
    moment.round(round).unwrap_or(moment)
}

/// How long it is until `moment`; zero when it has passed.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the place that the others are told to ask"
)]
pub(crate) fn until(moment: SystemTime) -> Duration {
    moment.duration_since(SystemTime::now()).unwrap_or_default()
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
        assert_eq!(until(SystemTime::UNIX_EPOCH), Duration::ZERO);
    }
}
