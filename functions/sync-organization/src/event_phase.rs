//! Whether a message of events needs a sync at some time, and whether it may leave the queue.

use jiff::{SignedDuration, Timestamp};

/// Upper bound of the difference between two clocks of AWS. For this long after the end of a
/// window, SQS may still drop an event as a duplicate of the window's message.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(2);

/// What a message of events needs at some time.
#[derive(Debug, PartialEq, Eq)]
pub struct EventPhase {
    /// Whether the last sync started before the events.
    pub needs_sync: bool,
    /// Whether the window is over, so that no more events can belong to the message.
    pub is_last: bool,
}

impl EventPhase {
    /// The phase at `now` of a message that stands for the events from `as_of` to `events_until`.
    pub fn new(
        as_of: Timestamp,
        events_until: Timestamp,
        checked_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let is_last = Self::is_last(events_until, now);
        let required = if is_last {
            window_end(events_until)
        } else {
            as_of
        };

        Self {
            needs_sync: checked_at.is_none_or(|checked_at| checked_at < required),
            is_last,
        }
    }

    /// Whether the window that ends at `events_until` is over at `now`.
    pub fn is_last(events_until: Timestamp, now: Timestamp) -> bool {
        now > window_end(events_until)
    }
}

/// The time at which the window is over on every clock.
fn window_end(events_until: Timestamp) -> Timestamp {
    events_until
        .saturating_add(MAX_CLOCK_SKEW)
        .unwrap_or(events_until)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second, in or around the window that ends at second 60.
    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// The phase at `now` of an event that arrived at second 5.
    fn phase(checked_at: i64, now: i64) -> (bool, bool) {
        let EventPhase {
            needs_sync,
            is_last,
        } = EventPhase::new(second(6), second(60), Some(second(checked_at)), second(now));
        (needs_sync, is_last)
    }

    #[test]
    fn an_event_causes_one_sync_at_once_and_one_after_its_window() {
        assert_eq!(phase(0, 6), (true, false));
        assert_eq!(
            phase(6, 7),
            (false, false),
            "the message is received again before the window ends"
        );
        assert_eq!(phase(6, 96), (true, true));
        assert_eq!(
            phase(96, 186),
            (false, true),
            "the message is received once more"
        );
    }

    #[test]
    fn a_sync_that_may_have_started_before_the_event_does_not_count() {
        assert_eq!(phase(5, 7), (true, false));
        assert_eq!(phase(59, 96), (true, true));
    }

    #[test]
    fn a_scheduled_sync_counts_for_events_too() {
        assert_eq!(phase(30, 31), (false, false));
        assert_eq!(phase(62, 96), (false, true));
        assert_eq!(
            phase(61, 96),
            (true, true),
            "the sync may have been within the window of another clock"
        );
    }

    #[test]
    fn an_organization_without_a_record_is_synced() {
        assert_eq!(
            EventPhase::new(second(6), second(60), None, second(7)),
            EventPhase {
                needs_sync: true,
                is_last: false
            }
        );
    }

    #[test]
    fn the_window_ends_after_the_maximum_clock_skew() {
        assert_eq!(phase(6, 60), (false, false));
        assert_eq!(phase(6, 62), (false, false));
        assert_eq!(phase(6, 63), (true, true));
    }

    #[test]
    fn a_message_delayed_past_its_window_takes_one_sync() {
        assert_eq!(phase(0, 600), (true, true));
    }
}
