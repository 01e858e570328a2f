//! Processes one message of the queue.

use engagement::{Organization, SyncRequest};
use runtime::{
    clock,
    sqs::{HandlerOutcome, Record},
};
use store::StoredOrganization;

use crate::{
    batch::SyncBatch,
    error::SyncError,
    listing::was_archived,
    request::{self, Message},
};

impl SyncBatch<'_> {
    /// Processes one message. A message that can never be processed moves to the dead-letter queue.
    pub(crate) async fn process_record(&self, record: Record) -> HandlerOutcome {
        let request = match request::parse(&record) {
            Ok(Message::Request(request)) => request,
            Ok(Message::Newer) => {
                tracing::error!("a newer release sent the message; it is completed unprocessed");
                self.metrics.count("items_newer");
                return HandlerOutcome::Done;
            }
            Err(reason) => return self.sync.dead_letters.park(&record, reason).await,
        };
        record.log_organization_id(&request.organization.id);
        if let Err(reason) = self.sync.as_of_limit.check(request.as_of, clock::now()) {
            return self
                .sync
                .dead_letters
                .park(&record, reason.to_string())
                .await;
        }

        if let Some(events_until) = request.events_until {
            return self
                .sync_for_events(&request, events_until, record.receive_count)
                .await;
        }
        match self.sync_if_due(&request).await {
            Ok(()) => HandlerOutcome::Done,
            Err(error) => {
                self.handle_failure(&request, &error, record.receive_count)
                    .await
            }
        }
    }

    async fn sync_if_due(&self, request: &SyncRequest) -> Result<(), SyncError> {
        let id = &request.organization.id;
        let previous = match self.sync.organizations.get_for_sync(id).await? {
            StoredOrganization::NeverSynced => None,
            StoredOrganization::Synced(previous) => Some(*previous),
            StoredOrganization::Newer => {
                self.count_newer_record();
                return Ok(());
            }
        };
        if let Some(reason) = skip_reason(previous.as_ref(), request) {
            tracing::debug!(reason, "no sync is needed");
            self.metrics.count("organizations_not_due");
            return Ok(());
        }

        if !request.organization.archived {
            self.take_allowed_sync()?;
        }
        self.sync_organization(request, previous.as_ref())
            .await
            .map(drop)
    }

    /// Counts and logs a record that a newer release wrote. It is left as it is.
    pub(crate) fn count_newer_record(&self) {
        tracing::error!("a newer release wrote the organization's record; it is not synced");
        self.metrics.count("items_newer");
    }
}

/// Why no sync is needed: it ran already for this time or a later one, or the organization is not
/// due.
fn skip_reason(previous: Option<&Organization>, request: &SyncRequest) -> Option<&'static str> {
    let previous = previous?;
    if previous.checked_at >= request.as_of {
        Some("already synced for this time or a later one")
    } else if previous.next_check_at > request.as_of
        && !request.all
        && was_archived(previous) == request.organization.archived
    {
        Some("not due")
    } else {
        None
    }
}
