//! The time by which an invocation must have finished its work.

use std::time::Duration;

use lambda_runtime::Context;
use tokio::time::Instant;

use crate::clock;

/// The longest time-out that Lambda allows.
const MAX_INVOCATION_TIME: Duration = Duration::from_mins(15);

/// The time by which an invocation must have finished its work: a margin before Lambda stops the
/// process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Instant);

impl Deadline {
    /// `margin` before the time at which Lambda stops the invocation, so that there is time to
    /// respond. A context without a deadline, which only tests create, counts as 15 minutes.
    pub fn from_context(context: &Context, margin: Duration) -> Self {
        let remaining = if context.deadline == 0 {
            MAX_INVOCATION_TIME
        } else {
            clock::duration_until(context.deadline())
        };
        Self::after(remaining.saturating_sub(margin))
    }

    /// `remaining` from now, at most 15 minutes.
    pub fn after(remaining: Duration) -> Self {
        Self(Instant::now() + remaining.min(MAX_INVOCATION_TIME))
    }

    /// The deadline as an instant, for `tokio::time::timeout_at`.
    pub fn instant(&self) -> Instant {
        self.0
    }

    /// Whether less than `needed` is left, so that work of that length must not be started.
    pub fn is_near(&self, needed: Duration) -> bool {
        self.remaining() < needed
    }

    /// The time left, zero once the deadline has passed.
    fn remaining(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn context(until: Duration) -> Context {
        let end = SystemTime::UNIX_EPOCH.elapsed().unwrap() + until;

        let mut context = Context::default();
        context.deadline = u64::try_from(end.as_millis()).unwrap();
        context
    }

    #[tokio::test]
    async fn the_margin_is_subtracted() {
        let remaining =
            Deadline::from_context(&context(Duration::from_mins(1)), Duration::from_secs(10))
                .remaining();
        assert!(
            (Duration::from_secs(45)..=Duration::from_secs(50)).contains(&remaining),
            "{remaining:?}"
        );
    }

    #[tokio::test]
    async fn a_margin_longer_than_the_invocation_leaves_no_time() {
        let deadline =
            Deadline::from_context(&context(Duration::from_secs(5)), Duration::from_secs(10));
        assert_eq!(deadline.remaining(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_is_near_when_less_than_needed_is_left() {
        let deadline = Deadline::after(Duration::from_secs(10));
        assert!(!deadline.is_near(Duration::from_secs(10)));

        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(deadline.is_near(Duration::from_secs(10)));

        tokio::time::advance(Duration::from_secs(20)).await;
        assert_eq!(deadline.remaining(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_context_without_a_deadline_gets_the_maximum_invocation_time() {
        assert_eq!(
            Deadline::from_context(&Context::default(), Duration::ZERO).remaining(),
            MAX_INVOCATION_TIME
        );
    }
}
