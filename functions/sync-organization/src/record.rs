//! Processes one message of the queue.

use engagement::{SyncCause, SyncRequest};
use runtime::sqs::{HandlerOutcome, Record};
use store::StoredOrganization;

use crate::{
    batch::{ListedRow, SyncBatch},
    error::SyncError,
    request::{self, Message},
    skip::skip_reason,
};

impl SyncBatch<'_> {
    /// Processes one message. A message that can never be processed moves to the dead-letter queue.
    pub(crate) async fn process_record(&self, record: Record) -> HandlerOutcome {
        let request = match request::parse(&record.body) {
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
            return self.sync_for_events(&record, &request, events_until).await;
        }
        match self.sync_if_due(&record, &request).await {
            Ok(()) => HandlerOutcome::Done,
            Err(error) => {
                self.handle_failure(&request, &error, record.receive_count)
                    .await
            }
        }
    }

    async fn sync_if_due(&self, record: &Record, request: &SyncRequest) -> Result<(), SyncError> {
        let stored = self.planned_row(record)?;
        let Some(previous) = self.listed_row(request, stored).await? else {
            return Ok(());
        };
        if let Some(reason) = skip_reason(&previous.row, request) {
            tracing::debug!(reason, "no sync is needed");
            self.metrics.count("organizations_not_due");
            return Ok(());
        }

        self.sync_organization(request, SyncCause::Schedule, &previous)
            .await
            .map(drop)
    }

    /// The organization's item, as the batch read it. `Err` also when the budget does not cover the
    /// sync.
    pub(crate) fn planned_row(&self, record: &Record) -> Result<StoredOrganization, SyncError> {
        if !self.plan.is_covered(&record.message_id) {
            return Err(SyncError::HourExhausted);
        }

        let row = self.plan.row(&record.message_id);
        Ok(row.unwrap_or(Ok(StoredOrganization::Unknown))?)
    }

    /// The organization's item with its listing. One that has none yet gets the row of its listing:
    /// as the message of the last release describes it, or as BILL lists it now.
    ///
    /// `None`: nothing can be synced. A newer release wrote the item, or there is none and BILL
    /// knows no such organization.
    pub(crate) async fn listed_row(
        &self,
        request: &SyncRequest,
        stored: StoredOrganization,
    ) -> Result<Option<ListedRow>, SyncError> {
        let has_item = match stored {
            StoredOrganization::Newer => {
                self.count_newer_record();
                return Ok(None);
            }
            StoredOrganization::Known(row) if row.listing.is_some() => {
                return Ok(Some(ListedRow {
                    row: *row,
                    is_read_now: false,
                }));
            }
            StoredOrganization::Known(_) => true,
            StoredOrganization::Unknown => false,
        };

        let id = &request.organization.id;
        let is_described = request.organization.is_described();
        let listed = if is_described {
            request.organization.clone()
        } else if let Some(listed) = self.list_organization(id).await? {
            listed
        } else if has_item {
            return Err(SyncError::NotListed);
        } else {
            tracing::info!("BILL lists no organization with this id");
            self.metrics.count("organizations_unknown");
            return Ok(None);
        };
        let organizations = &self.sync.organizations;
        organizations.describe(&listed, request.as_of).await?;

        Ok(match organizations.get_for_sync(id).await? {
            StoredOrganization::Known(row) => Some(ListedRow {
                row: *row,
                is_read_now: !is_described,
            }),
            StoredOrganization::Unknown | StoredOrganization::Newer => None,
        })
    }
}
