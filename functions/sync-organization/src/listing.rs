//! Organizations of which the table has no listing: BILL is asked for the row of its list.

use bill_connection::listed_organization;
use engagement::{ListedOrganization, OrganizationId, SyncRequest};
use jiff::SignedDuration;

use crate::{batch::SyncBatch, error::SyncError};

/// The `sync_error` of an organization that BILL does not list.
const NOT_LISTED: &str = "not_listed";

/// Time until BILL is asked again for an organization that it does not list.
const NOT_LISTED_RETRY_DELAY: SignedDuration = SignedDuration::from_hours(24);

impl SyncBatch<'_> {
    /// The row of BILL's list of this organization; `None` when there is none.
    pub(crate) async fn list_organization(
        &self,
        id: &OrganizationId,
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

        Ok(row?.map(|row| listed_organization(id.clone(), row)))
    }

    /// Counts an organization that BILL does not list. If it has an item, because a sync failed
    /// before, it is due again in a day.
    pub(crate) async fn handle_unknown(
        &self,
        request: &SyncRequest,
        has_item: bool,
    ) -> Result<(), SyncError> {
        tracing::info!("BILL lists no organization with this id");
        self.metrics.count("organizations_unknown");
        if !has_item {
            return Ok(());
        }

        let as_of = request.as_of;
        let next_check_at = as_of
            .saturating_add(NOT_LISTED_RETRY_DELAY)
            .unwrap_or(as_of);
        self.sync
            .organizations
            .record_failure(
                &request.organization.id,
                NOT_LISTED,
                as_of,
                next_check_at,
                self.now(),
            )
            .await?;
        Ok(())
    }

    /// Counts and logs a record that a newer release wrote. It is left as it is.
    pub(crate) fn count_newer_record(&self) {
        tracing::error!("a newer release wrote the organization's record; it is not synced");
        self.metrics.count("items_newer");
    }
}
