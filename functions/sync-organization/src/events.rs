//! Messages of BILL's events: the organization is synced now, whether it is due or not.
//!
//! One message stands for all events of an organization within a minute, because the queue drops
//! the other messages of that minute as duplicates. It causes two syncs: one immediately, and one
//! after the minute, which covers the events whose messages were dropped. In between the message
//! waits in the queue. The only state is `checked_at`, which every sync writes.

use engagement::{SyncCause, SyncRequest};
use jiff::Timestamp;
use runtime::sqs::{HandlerOutcome, Record};
use store::{StoredOrganization, WriteOutcome};

use crate::{batch::SyncBatch, error::SyncError, event_phase::EventPhase};

/// Number of attempts when another sync, such as a scheduled one, writes its result first.
const MAX_ATTEMPTS: usize = 2;

impl SyncBatch<'_> {
    /// Processes a message that stands for the events until `events_until`.
    pub(crate) async fn sync_for_events(
        &self,
        record: &Record,
        request: &SyncRequest,
        events_until: Timestamp,
    ) -> HandlerOutcome {
        for attempt in 0..MAX_ATTEMPTS {
            let now = self.now();
            let stored = if attempt == 0 {
                self.planned_row(record)
            } else {
                let id = &request.organization.id;
                let read = self.sync.organizations.get_for_sync(id).await;
                read.map_err(SyncError::from)
            };
            match self
                .try_sync_for_events(request, stored, events_until, now)
                .await
            {
                Ok(Some(outcome)) => return outcome,
                Ok(None) => {}
                Err(error) => {
                    let request = SyncRequest {
                        as_of: now,
                        ..request.clone()
                    };
                    let outcome = self
                        .handle_failure(&request, &error, record.receive_count)
                        .await;
                    // Until the window is over, SQS drops further events as duplicates even if the
                    // message was completed. So the message must stay for them.
                    return if EventPhase::is_last(events_until, now) {
                        outcome
                    } else {
                        HandlerOutcome::Retry
                    };
                }
            }
        }

        tracing::info!("other syncs wrote their results first; the message is retried");
        HandlerOutcome::Retry
    }

    /// One attempt. `None` means that another sync, which may have started before the event, wrote
    /// its result first.
    async fn try_sync_for_events(
        &self,
        request: &SyncRequest,
        stored: Result<StoredOrganization, SyncError>,
        events_until: Timestamp,
        now: Timestamp,
    ) -> Result<Option<HandlerOutcome>, SyncError> {
        let Some(previous) = self.listed_row(request, stored?).await? else {
            return Ok(Some(HandlerOutcome::Done));
        };
        let checked_at = previous.row.checked_at();
        let phase = EventPhase::new(request.as_of, events_until, checked_at, now);

        if phase.needs_sync {
            let request = SyncRequest {
                as_of: now,
                ..request.clone()
            };
            let outcome = self
                .sync_organization(&request, SyncCause::Events, &previous)
                .await?;
            if outcome == WriteOutcome::Superseded {
                return Ok(None);
            }
        } else {
            self.metrics.count("organizations_not_due");
        }

        Ok(Some(if phase.is_last {
            HandlerOutcome::Done
        } else {
            HandlerOutcome::Retry
        }))
    }
}
