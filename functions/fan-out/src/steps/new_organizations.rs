//! Step 2: finds the organizations that are new at BILL.

use bill::{OrganizationOrder, PageToken};
use engagement::ListedOrganization;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use runtime::Failure;
use store::BudgetShare;

use crate::{listed::listed_organizations, run::Run};

/// How far a listing reads back beyond the last one: clocks differ.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);

const MAX_CONCURRENT_PUTS: usize = 32;

impl Run<'_> {
    /// Lists organizations, newest first, until they are older than the last listing, and puts the
    /// row of each new one. Without a last listing it reads one page.
    ///
    /// Rows are put before anything is queued, so that a run that stops here loses none of them.
    pub(crate) async fn list_new(&mut self) -> Result<(), Failure> {
        let since = self
            .state
            .listed_to
            .map(|listed_to| listed_to.saturating_sub(OVERLAP).unwrap_or(Timestamp::MIN));
        let mut token: Option<PageToken> = None;

        loop {
            let page = self
                .pages
                .read(
                    BudgetShare::Sweep,
                    OrganizationOrder::NewestFirst,
                    token.as_ref(),
                )
                .await?;
            let Some(page) = page else {
                return Ok(());
            };
            token = page.next.clone();
            let (listed, skipped) = listed_organizations(page);
            self.summary.count_page(listed.len(), skipped);

            let is_older = |organization: &ListedOrganization| {
                organization
                    .created_at
                    .zip(since)
                    .is_some_and(|(created, since)| created < since)
            };
            let has_reached_last_listing = listed.iter().any(is_older);
            let new = listed
                .into_iter()
                .filter(|organization| since.is_none() || organization.created_at >= since)
                .collect();
            self.put_rows(new).await?;

            if has_reached_last_listing || token.is_none() {
                self.state.listed_to = self.state.listed_to.max(Some(self.as_of));
                return self.save().await;
            }
            if since.is_none() || self.is_out_of_time() {
                return Ok(());
            }
        }
    }

    /// Puts the rows of those organizations that have no item.
    pub(crate) async fn put_rows(&mut self, new: Vec<ListedOrganization>) -> Result<(), Failure> {
        let (organizations, as_of) = (&self.fan_out.organizations, self.as_of);
        let put = stream::iter(&new)
            .map(|organization| organizations.put_listing_row(organization, as_of))
            .buffer_unordered(MAX_CONCURRENT_PUTS)
            .try_fold(0, async |rows, is_new| Ok(rows + u64::from(is_new)))
            .await?;

        self.summary.new += put;
        Ok(())
    }
}
