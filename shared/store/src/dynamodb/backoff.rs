//! Delays between attempts that the SDK does not retry by itself.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

/// Delays between attempts: five, exponential from 25 milliseconds with jitter, less than two
/// seconds in total.
pub fn backoff() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_jitter()
        .with_min_delay(Duration::from_millis(25))
        .with_max_times(5)
        .build()
}
