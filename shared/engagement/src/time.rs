//! Arithmetic on timestamps that saturates instead of failing.

use jiff::{SignedDuration, Timestamp};

/// The age of `time` at `as_of`. A time in the future has age zero.
pub(crate) fn age(time: Timestamp, as_of: Timestamp) -> SignedDuration {
    as_of.duration_since(time).max(SignedDuration::ZERO)
}

/// `time + duration`, or [`Timestamp::MAX`] if the sum is out of range.
pub(crate) fn saturating_add(time: Timestamp, duration: SignedDuration) -> Timestamp {
    time.saturating_add(duration).unwrap_or(Timestamp::MAX)
}

/// Rounds up to a whole second.
pub(crate) fn ceil_to_second(time: Timestamp) -> Timestamp {
    let whole = Timestamp::from_second(time.as_second()).unwrap_or(time);
    if whole < time {
        saturating_add(whole, SignedDuration::from_secs(1))
    } else {
        whole
    }
}
