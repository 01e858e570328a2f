//! Organizations of which the table has no listing: BILL is asked for the row of its list.

use bill_connection::listed_organization;
use engagement::{ListedOrganization, OrganizationId};

use crate::{batch::SyncBatch, error::SyncError};

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

    /// Counts and logs a record that a newer release wrote. It is left as it is.
    pub(crate) fn count_newer_record(&self) {
        tracing::error!("a newer release wrote the organization's record; it is not synced");
        self.metrics.count("items_newer");
    }
}
