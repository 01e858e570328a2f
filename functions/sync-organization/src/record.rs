//! Processes one message of the queue.

use engagement::SyncRequest;
use runtime::sqs::{HandlerOutcome, Record};
use store::{OrganizationRow, StoredOrganization};

use crate::{
    batch::SyncBatch,
    error::SyncError,
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
        if let Err(reason) = self.sync.as_of_limit.check(request.as_of, self.now()) {
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
        let Some(previous) = self.read_row(request).await? else {
            return Ok(());
        };
        if let Some(reason) = skip_reason(&previous, request) {
            tracing::debug!(reason, "no sync is needed");
            self.metrics.count("organizations_not_due");
            return Ok(());
        }

        self.take_allowed_sync(&previous)?;
        self.sync_organization(request, &previous).await.map(drop)
    }

    /// The organization's item. One that has none yet gets the row of its listing: as the message
    /// of the last release describes it, or as BILL lists it now.
    ///
    /// `None`: nothing can be synced. A newer release wrote the item, or BILL knows no such
    /// organization.
    pub(crate) async fn read_row(
        &self,
        request: &SyncRequest,
    ) -> Result<Option<OrganizationRow>, SyncError> {
        let organizations = &self.sync.organizations;
        let id = &request.organization.id;
        let known = match organizations.get_for_sync(id).await? {
            StoredOrganization::Newer => {
                self.count_newer_record();
                return Ok(None);
            }
            StoredOrganization::Known(row) if row.listing.is_some() => return Ok(Some(*row)),
            StoredOrganization::Known(row) => Some(row),
            StoredOrganization::Unknown => None,
        };

        let listed = if request.organization.is_described() {
            Some(request.organization.clone())
        } else {
            self.list_organization(id).await?
        };
        let Some(listed) = listed else {
            self.handle_unknown(request, known.is_some()).await?;
            return Ok(None);
        };
        organizations.describe(&listed, request.as_of).await?;

        match organizations.get_for_sync(id).await? {
            StoredOrganization::Known(row) => Ok(Some(*row)),
            StoredOrganization::Unknown | StoredOrganization::Newer => Ok(None),
        }
    }
}
/// Why no sync is needed: it ran already for this time or a later one, or the organization is not
/// due.
fn skip_reason(previous: &OrganizationRow, request: &SyncRequest) -> Option<&'static str> {
    let is_synced = |checked_at| checked_at >= request.as_of;
    let is_later = |next_check_at| next_check_at > request.as_of;

    if previous.checked_at().is_some_and(is_synced) {
        Some("already synced for this time or a later one")
    } else if previous.next_check_at.is_some_and(is_later) && !request.all {
        Some("not due")
    } else {
        None
    }
}
