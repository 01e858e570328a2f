//! Messages of BILL's events: an organization is looked at now, whether it is due or not.
//!
//! One message stands for all events about an organization that arrive within a minute, because the queue drops the further ones.
//! So it causes two looks: one at once, and one when the minute is over, which sees what the dropped events are about. In between
//! the message waits in the queue. Nothing is remembered for this but what each look leaves behind, `checked_at`.

use engagement::{ListedOrganization, Organization, StageReason, SyncRequest};
use jiff::{SignedDuration, Timestamp};
use runtime::{clock, sqs::Outcome};
use store::Applied;

use crate::{Work, look::LookError};

/// Clocks of AWS differ by less than this: so long after a minute's end, an event may still be counted to it.
const CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_secs(2);

/// Looks at one organization in a row: a sweep looks at it once while an event does.
const ATTEMPTS: usize = 2;

impl Work<'_> {
    /// Works on the message of events that arrive before `events_until`.
    pub(crate) async fn events(&self, request: &SyncRequest, events_until: Timestamp, receive_count: u32) -> Outcome {
        for _ in 0..ATTEMPTS {
            let now = clock::now();
            match self.look_for_events(request, events_until, now).await {
                Ok(Some(outcome)) => return outcome,
                Ok(None) => {}
                Err(error) => return self.failed(&SyncRequest { as_of: now, ..request.clone() }, &error, receive_count).await,
            }
        }
        tracing::info!("other looks were written meanwhile; the message is repeated");
        Outcome::Retry
    }

    /// `None`: another look was written meanwhile, which may have begun before the event.
    async fn look_for_events(&self, request: &SyncRequest, events_until: Timestamp, now: Timestamp) -> Result<Option<Outcome>, LookError> {
        let Some(previous) = self.sync.organizations.get(&request.organization.id).await? else {
            // The sweep finds it within the hour, with its name and all that an event does not tell.
            tracing::info!("the organization is new; the next sweep looks at it");
            self.metrics.count("events_of_unknown_organizations");
            return Ok(Some(Outcome::Done));
        };
        let turn = Turn::of(request.as_of, events_until, previous.checked_at, now);
        if turn.wants_look {
            let request = SyncRequest { organization: listed(&previous), as_of: now, ..request.clone() };
            if self.check(&request, Some(&previous)).await? == Applied::Superseded {
                return Ok(None);
            }
        } else {
            self.metrics.count("organizations_not_due");
        }
        Ok(Some(if turn.is_last { Outcome::Done } else { Outcome::Retry }))
    }
}

/// What is to be done about a message at some moment.
#[derive(Debug, PartialEq, Eq)]
struct Turn {
    /// The last look began before the events.
    wants_look: bool,
    /// No further event is counted to the message.
    is_last: bool,
}

impl Turn {
    fn of(as_of: Timestamp, events_until: Timestamp, checked_at: Timestamp, now: Timestamp) -> Self {
        let is_last = now.duration_since(events_until) > CLOCK_DIFFERENCE;
        let wanted = if is_last { events_until } else { as_of };
        Self { wants_look: checked_at < wanted, is_last }
    }
}

/// What the list of organizations said when the organization was last listed.
fn listed(previous: &Organization) -> ListedOrganization {
    ListedOrganization {
        id: previous.organization_id.clone(),
        name: previous.name.clone(),
        archived: previous.stage_reason == StageReason::Archived,
        created_at: previous.created_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of the minute that ends at 60, or of one around it.
    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// The turn at `now`, of an event that arrived at second 5.
    fn turn(checked_at: i64, now: i64) -> (bool, bool) {
        let Turn { wants_look, is_last } = Turn::of(second(6), second(60), second(checked_at), second(now));
        (wants_look, is_last)
    }

    #[test]
    fn an_event_is_looked_for_at_once_and_when_its_minute_is_over() {
        assert_eq!(turn(0, 6), (true, false));
        assert_eq!(turn(6, 7), (false, false), "a message that comes back too early");
        assert_eq!(turn(6, 96), (true, true));
        assert_eq!(turn(96, 186), (false, true), "a message that comes once more");
    }

    #[test]
    fn a_look_that_may_have_begun_before_the_event_does_not_count() {
        assert_eq!(turn(5, 7), (true, false));
        assert_eq!(turn(59, 96), (true, true));
    }

    #[test]
    fn a_look_of_a_sweep_counts_as_any_other() {
        assert_eq!(turn(30, 31), (false, false));
        assert_eq!(turn(60, 96), (false, true));
    }

    #[test]
    fn a_minute_is_over_when_no_clock_can_still_be_in_it() {
        assert_eq!(turn(6, 60), (false, false));
        assert_eq!(turn(6, 62), (false, false));
        assert_eq!(turn(6, 63), (true, true));
    }

    #[test]
    fn a_message_that_was_kept_back_for_long_is_settled_by_one_look() {
        assert_eq!(turn(0, 600), (true, true));
    }
}
