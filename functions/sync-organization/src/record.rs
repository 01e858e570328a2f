//! Processes one message of the queue.

use engagement::{Organization, SyncRequest};
use runtime::sqs::{HandlerOutcome, Record};

use crate::{batch::SyncBatch, error::SyncError, listing::was_archived, request};

impl SyncBatch<'_> {
    /// Processes one message. A message that can never be processed moves to the dead-letter queue.
    pub(crate) async fn process_record(&self, record: Record) -> HandlerOutcome {
        let request = match request::parse(&record) {
            Ok(request) => request,
            Err(reason) => return self.sync.dead_letters.park(&record, reason).await,
        };
        record.log_organization_id(&request.organization.id);

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
        let previous = self.sync.organizations.get(id).await?;
        if let Some(reason) = skip_reason(previous.as_ref(), request) {
            tracing::debug!(reason, "no sync is needed");
            self.metrics.count("organizations_not_due");
            return Ok(());
        }

        self.sync_organization(request, previous.as_ref())
            .await
            .map(drop)
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
