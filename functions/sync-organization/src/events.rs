//! Messages of BILL's events: an organization is looked at now, whether it is due or not.
//!
//! One message stands for all events about an organization that arrive within a minute, because the
//! queue drops the further ones. So it causes two looks: one at once, and one when the minute is
//! over, which sees what the dropped events are about. In between the message waits in the queue.
//! Nothing is remembered for this but what each look leaves behind, `checked_at`.

use bill::ErrorKind;
use engagement::{ListedOrganization, Organization, OrganizationId, SyncRequest};
use jiff::{SignedDuration, Timestamp};
use runtime::{clock, sqs::Outcome};
use store::WriteOutcome;

use crate::{Work, is_archived, look::SyncError, signals};

/// Clocks of AWS differ by less than this: so long after a minute's end, an event may still be
/// counted to it.
const CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_secs(2);

/// Looks at one organization in a row: a sweep looks at it once while an event does.
const ATTEMPTS: usize = 2;

impl Work<'_> {
    /// Works on the message of events that arrive before `events_until`.
    pub(crate) async fn events(
        &self,
        request: &SyncRequest,
        events_until: Timestamp,
        receive_count: u32,
    ) -> Outcome {
        for _ in 0..ATTEMPTS {
            let now = clock::now();
            match self.look_for_events(request, events_until, now).await {
                Ok(Some(outcome)) => return outcome,
                Ok(None) => {}
                Err(error) => {
                    let outcome = self
                        .failed(
                            &SyncRequest {
                                as_of: now,
                                ..request.clone()
                            },
                            &error,
                            receive_count,
                        )
                        .await;
                    // Further events of the minute are dropped, also when the message is gone: it
                    // stays for them.
                    return if Turn::is_last(events_until, now) {
                        outcome
                    } else {
                        Outcome::Retry
                    };
                }
            }
        }
        tracing::info!("other looks were written meanwhile; the message is repeated");
        Outcome::Retry
    }

    /// `None`: another look was written meanwhile, which may have begun before the event.
    async fn look_for_events(
        &self,
        request: &SyncRequest,
        events_until: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Outcome>, SyncError> {
        let id = &request.organization.id;
        let previous = self.sync.organizations.get(id).await?;
        let turn = Turn::of(
            request.as_of,
            events_until,
            previous.as_ref().map(|previous| previous.checked_at),
            now,
        );
        if turn.needs_sync {
            let Some(organization) = self.listed(id, previous.as_ref()).await? else {
                tracing::info!("BILL lists no organization of this id");
                self.metrics.count("events_of_unknown_organizations");
                return Ok(Some(Outcome::Done));
            };
            let request = SyncRequest {
                organization,
                as_of: now,
                ..request.clone()
            };
            if self.check(&request, previous.as_ref()).await? == WriteOutcome::Superseded {
                return Ok(None);
            }
        } else {
            self.metrics.count("organizations_not_due");
        }
        Ok(Some(if turn.is_last {
            Outcome::Done
        } else {
            Outcome::Retry
        }))
    }

    /// What the list of organizations says now; or said, when BILL no longer tells. `None`: nothing
    /// is known of the organization.
    async fn listed(
        &self,
        id: &OrganizationId,
        previous: Option<&Organization>,
    ) -> Result<Option<ListedOrganization>, SyncError> {
        if self.is_hour_closed() {
            return Err(SyncError::HourExhausted);
        }
        let calls = self.sync.bill.organization(id.as_str(), self.looks_until());
        let row = calls.listed().await;
        self.used.add(&calls);
        let row = match row {
            Err(error) if error.kind() == ErrorKind::Refused => {
                tracing::warn!(%error, "BILL does not show an organization's row; what it said last holds");
                None
            }
            row => row?,
        };
        Ok(row
            .map(|row| signals::listed(id, row))
            .or_else(|| previous.map(remembered)))
    }
}

/// What is to be done about a message at some moment.
#[derive(Debug, PartialEq, Eq)]
struct Turn {
    /// The last look began before the events.
    needs_sync: bool,
    /// No further event is counted to the message.
    is_last: bool,
}

impl Turn {
    fn of(
        as_of: Timestamp,
        events_until: Timestamp,
        checked_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let is_last = Self::is_last(events_until, now);
        let wanted = if is_last { end(events_until) } else { as_of };
        Self {
            needs_sync: checked_at.is_none_or(|checked_at| checked_at < wanted),
            is_last,
        }
    }

    fn is_last(events_until: Timestamp, now: Timestamp) -> bool {
        now > end(events_until)
    }
}

/// When no clock counts an event to the minute any more.
fn end(events_until: Timestamp) -> Timestamp {
    events_until
        .saturating_add(CLOCK_DIFFERENCE)
        .unwrap_or(events_until)
}

/// What the list of organizations said when the organization was last listed.
fn remembered(previous: &Organization) -> ListedOrganization {
    ListedOrganization {
        id: previous.organization_id.clone(),
        name: previous.name.clone(),
        archived: is_archived(previous),
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
        let Turn {
            needs_sync,
            is_last,
        } = Turn::of(second(6), second(60), Some(second(checked_at)), second(now));
        (needs_sync, is_last)
    }

    #[test]
    fn an_event_causes_one_sync_at_once_and_one_after_its_window() {
        assert_eq!(turn(0, 6), (true, false));
        assert_eq!(
            turn(6, 7),
            (false, false),
            "a message that comes back too early"
        );
        assert_eq!(turn(6, 96), (true, true));
        assert_eq!(
            turn(96, 186),
            (false, true),
            "a message that comes once more"
        );
    }

    #[test]
    fn a_sync_that_may_have_started_before_the_event_does_not_count() {
        assert_eq!(turn(5, 7), (true, false));
        assert_eq!(turn(59, 96), (true, true));
    }

    #[test]
    fn a_scheduled_sync_counts_for_events_too() {
        assert_eq!(turn(30, 31), (false, false));
        assert_eq!(turn(62, 96), (false, true));
        assert_eq!(
            turn(61, 96),
            (true, true),
            "of another clock's sixtieth second, perhaps"
        );
    }

    #[test]
    fn an_organization_without_a_record_is_synced() {
        assert_eq!(
            Turn::of(second(6), second(60), None, second(7)),
            Turn {
                needs_sync: true,
                is_last: false
            }
        );
    }

    #[test]
    fn the_window_ends_after_the_maximum_clock_skew() {
        assert_eq!(turn(6, 60), (false, false));
        assert_eq!(turn(6, 62), (false, false));
        assert_eq!(turn(6, 63), (true, true));
    }

    #[test]
    fn a_message_delayed_past_its_window_takes_one_sync() {
        assert_eq!(turn(0, 600), (true, true));
    }
}
