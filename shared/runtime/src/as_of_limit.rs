//! Refuses times that lie ahead of the clock.

use errors::{ClassifiedError, ErrorType};
use jiff::{SignedDuration, Timestamp};

/// How far a time may be ahead of the clock. Clocks differ by less.
const MAX_AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// Which times a function accepts as the time that its work is for.
///
/// An organization that is synced for a time in the future is not synced again until then. So a
/// deployed stack refuses such a time. A local stack accepts it, to simulate months in minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsOfLimit {
    accepts_future: bool,
}

/// A time is too far ahead of the clock. Permanent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the time is more than 5 minutes ahead of the clock; organizations synced for it would not be \
     synced again until then; only a stack with Environment=local accepts such a time"
)]
pub struct AsOfInFuture;

impl AsOfLimit {
    /// The limit of a stack with this `Environment`: `local`, `sandbox` or `production`.
    pub fn for_environment(environment: &str) -> Self {
        Self {
            accepts_future: environment == "local",
        }
    }

    /// `Err` when `as_of` is more than five minutes later than `now`.
    pub fn check(self, as_of: Timestamp, now: Timestamp) -> Result<(), AsOfInFuture> {
        if self.accepts_future || as_of.duration_since(now) <= MAX_AHEAD {
            Ok(())
        } else {
            Err(AsOfInFuture)
        }
    }
}

impl ClassifiedError for AsOfInFuture {
    fn error_type(&self) -> ErrorType {
        ErrorType::EventInvalid
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("production", "2026-11-25T09:05:00Z", Ok(()))]
    #[case("production", "2026-11-25T09:05:01Z", Err(AsOfInFuture))]
    #[case("sandbox", "2027-11-25T09:00:00Z", Err(AsOfInFuture))]
    #[case("sandbox", "2020-11-25T09:00:00Z", Ok(()))]
    #[case("local", "2027-11-25T09:00:00Z", Ok(()))]
    fn only_a_local_stack_accepts_the_future(
        #[case] environment: &str,
        #[case] as_of: &str,
        #[case] expected: Result<(), AsOfInFuture>,
    ) {
        let now = "2026-11-25T09:00:00Z".parse().unwrap();

        let checked = AsOfLimit::for_environment(environment).check(as_of.parse().unwrap(), now);

        assert_eq!(checked, expected);
    }
}
