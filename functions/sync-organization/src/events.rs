//! Messages of BILL's events: the organization is synced now, whether it is due or not.
//!
//! One message stands for all events of an organization within a minute, because the queue drops
//! the other messages of that minute as duplicates. It causes two syncs: one immediately, and one
//! after the minute, which covers the events whose messages were dropped. In between the message
//! waits in the queue. The only state is `checked_at`, which every sync writes.

use engagement::SyncRequest;
use jiff::Timestamp;
use runtime::sqs::HandlerOutcome;
use store::WriteOutcome;

use crate::{batch::SyncBatch, error::SyncError, event_phase::EventPhase};

/// Number of attempts when another sync, such as a scheduled one, writes its result first.
const MAX_ATTEMPTS: usize = 2;

impl SyncBatch<'_> {
    /// Processes a message that stands for the events until `events_until`.
    pub(crate) async fn sync_for_events(
        &self,
        request: &SyncRequest,
        events_until: Timestamp,
        receive_count: u32,
    ) -> HandlerOutcome {
        for _ in 0..MAX_ATTEMPTS {
            let now = self.now();
            match self.try_sync_for_events(request, events_until, now).await {
                Ok(Some(outcome)) => return outcome,
                Ok(None) => {}
                Err(error) => {
                    let request = SyncRequest {
                        as_of: now,
                        ..request.clone()
                    };
                    let outcome = self.handle_failure(&request, &error, receive_count).await;
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
        events_until: Timestamp,
        now: Timestamp,
    ) -> Result<Option<HandlerOutcome>, SyncError> {
        let Some(previous) = self.read_row(request).await? else {
            return Ok(Some(HandlerOutcome::Done));
        };
        let checked_at = previous.checked_at();
        let phase = EventPhase::new(request.as_of, events_until, checked_at, now);

        if phase.needs_sync {
            let request = SyncRequest {
                as_of: now,
                ..request.clone()
            };
            let outcome = self.sync_organization(&request, &previous).await?;
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
