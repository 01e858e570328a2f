//! Messages of BILL's events: the organization is synced now, whether it is due or not.
//!
//! One message stands for all events of an organization within a minute, because the queue drops
//! the other messages of that minute as duplicates. It causes two syncs: one immediately, and one
//! after the minute, which covers the events whose messages were dropped. In between the message
//! waits in the queue. The only state is `checked_at`, which every sync writes.

use bill::ErrorKind;
use bill_connection::listed_organization;
use engagement::{ListedOrganization, Organization, OrganizationId, SyncRequest};
use jiff::Timestamp;
use runtime::{clock, sqs::HandlerOutcome};
use store::{StoredOrganization, WriteOutcome};

use crate::{
    batch::SyncBatch, error::SyncError, event_phase::EventPhase, listing::previous_listing,
};

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
            let now = clock::now();
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
        let id = &request.organization.id;
        let previous = match self.sync.organizations.get_for_sync(id).await? {
            StoredOrganization::NeverSynced => None,
            StoredOrganization::Synced(previous) => Some(*previous),
            StoredOrganization::Newer => {
                self.count_newer_record();
                return Ok(Some(HandlerOutcome::Done));
            }
        };
        let checked_at = previous.as_ref().map(|previous| previous.checked_at);
        let phase = EventPhase::new(request.as_of, events_until, checked_at, now);

        if phase.needs_sync {
            let Some(organization) = self.current_listing(id, previous.as_ref()).await? else {
                tracing::info!("BILL lists no organization with this id");
                self.metrics.count("events_of_unknown_organizations");
                return Ok(Some(HandlerOutcome::Done));
            };
            let request = SyncRequest {
                organization,
                as_of: now,
                ..request.clone()
            };
            let outcome = self.sync_organization(&request, previous.as_ref()).await?;
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

    /// The organization's row in BILL's list, or the row that the last sync saw if BILL no longer
    /// lists the organization. `None` means that there is neither.
    async fn current_listing(
        &self,
        id: &OrganizationId,
        previous: Option<&Organization>,
    ) -> Result<Option<ListedOrganization>, SyncError> {
        if self.is_hour_closed() {
            return Err(SyncError::HourExhausted);
        }

        let calls = self
            .sync
            .bill
            .organization(id.as_str(), self.read_deadline());
        let row = calls.find_in_list().await;
        self.usage.add(&calls);
        let row = match row {
            Err(error) if error.kind() == ErrorKind::Refused => {
                tracing::warn!(
                    %error,
                    "BILL rejected the request for an organization's row; the row of the last \
                     sync is used"
                );
                None
            }
            row => row?,
        };

        Ok(row
            .map(|row| listed_organization(id.clone(), row))
            .or_else(|| previous.map(previous_listing)))
    }
}
