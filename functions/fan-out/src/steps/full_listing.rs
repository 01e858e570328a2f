//! Step 5, once a day: compares every organization at BILL with the table.

use bill::{OrganizationOrder, Page, PageToken};
use engagement::ListedOrganization;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::SignedDuration;
use runtime::{ErrorType, Failure};
use store::{BudgetShare, DayStatistics, FullListing, ListedComparison};

use crate::{listed::listed_organizations, run::Run, summary::ListingOutcome};

/// Time after which the next full listing begins: a day, less what schedules may vary.
const INTERVAL: SignedDuration = SignedDuration::from_mins(24 * 60 - 30);

/// The count of organizations that were never synced.
const NOT_SYNCED: &str = "not_synced";

const MAX_CONCURRENT_UPDATES: usize = 32;

impl Run<'_> {
    /// Begins or continues the day's full listing.
    ///
    /// The position is saved with each page. A listing continues in the next run, whatever ended
    /// it: the budget, the time, or a failure of BILL or AWS. It starts again when BILL no longer
    /// accepts the page token, and in the next run when a page cannot be read.
    pub(crate) async fn list_all(&mut self) -> Result<(), Failure> {
        let Some(listing) = self.listing_to_continue() else {
            return Ok(());
        };
        let is_resumed = listing.page.is_some();

        let mut result = self.read_listing(listing).await;
        if is_resumed && result.as_ref().is_err_and(is_page_rejected) {
            tracing::warn!("BILL no longer accepts the saved page token; the listing starts again");
            let listing = self.new_listing();
            result = self.read_listing(listing).await;
        }

        if result.as_ref().is_err_and(is_page_rejected) {
            self.state.listing = None;
            self.save().await?;
        }
        self.summary.listing = Some(result?);
        Ok(())
    }

    fn listing_to_continue(&self) -> Option<FullListing> {
        if self.state.listing.is_some() {
            return self.state.listing.clone();
        }

        let is_due = self
            .state
            .listed_fully_at
            .is_none_or(|last| self.as_of.duration_since(last) >= INTERVAL);
        is_due.then(|| self.new_listing())
    }

    fn new_listing(&self) -> FullListing {
        FullListing {
            started_at: self.as_of,
            page: None,
            counts: [].into(),
        }
    }

    /// Reads pages from the position of the listing. While a page is compared, the next one is
    /// fetched.
    async fn read_listing(&mut self, mut listing: FullListing) -> Result<ListingOutcome, Failure> {
        let first = listing.page.clone().map(PageToken::new);
        let mut fetched = self.read_page(first.as_ref()).await?;

        while let Some(page) = fetched {
            let next = page.next.clone();
            let (listed, skipped) = listed_organizations(page);
            let (compared, following) = tokio::join!(
                self.fan_out
                    .organizations
                    .compare_listed(&listed, self.as_of),
                self.read_following(next.as_ref())
            );
            self.summary.count_page(listed.len(), skipped);
            self.write_changes(&listed, compared?, &mut listing).await?;

            listing.page = next.map(|next| next.as_str().to_owned());
            if listing.page.is_none() {
                return self.finish(listing).await;
            }
            self.state.listing = Some(listing.clone());
            self.save().await?;
            fetched = following?;
        }

        Ok(ListingOutcome::Continues)
    }

    async fn read_page(
        &self,
        page: Option<&PageToken>,
    ) -> Result<Option<Page<bill::Organization>>, Failure> {
        let order = OrganizationOrder::OldestFirst;
        self.pages.read(BudgetShare::Listing, order, page).await
    }

    /// The page after the one that is being compared; `None` when there is none, or no time or
    /// budget for it.
    async fn read_following(
        &self,
        next: Option<&PageToken>,
    ) -> Result<Option<Page<bill::Organization>>, Failure> {
        match next {
            Some(_) if !self.is_out_of_time() => self.read_page(next).await,
            _ => Ok(None),
        }
    }

    /// Counts the organizations of a page, puts the rows of unknown ones, and writes what changed.
    async fn write_changes(
        &mut self,
        listed: &[ListedOrganization],
        compared: Vec<ListedComparison>,
        listing: &mut FullListing,
    ) -> Result<(), Failure> {
        let (mut unknown, mut changed) = (Vec::new(), Vec::new());
        for (organization, comparison) in listed.iter().zip(compared) {
            let count = match comparison {
                ListedComparison::Newer => {
                    self.summary.newer += 1;
                    continue;
                }
                ListedComparison::Unknown => {
                    unknown.push(organization.clone());
                    NOT_SYNCED.to_owned()
                }
                ListedComparison::Known { stage, change } => {
                    changed.extend(change.map(|change| (organization, change)));
                    stage.map_or(NOT_SYNCED.to_owned(), |(stage, reason)| {
                        format!("{stage}#{reason}")
                    })
                }
            };
            *listing.counts.entry(count).or_default() += 1;
        }

        self.put_rows(unknown).await?;
        let (organizations, as_of) = (&self.fan_out.organizations, self.as_of);
        stream::iter(&changed)
            .map(|(organization, change)| organizations.apply_listing(organization, *change, as_of))
            .buffer_unordered(MAX_CONCURRENT_UPDATES)
            .try_collect::<()>()
            .await?;
        self.summary.changed += changed.len() as u64;
        Ok(())
    }

    /// Writes the statistics of the day and ends the listing.
    async fn finish(&mut self, listing: FullListing) -> Result<ListingOutcome, Failure> {
        let FullListing {
            started_at, counts, ..
        } = listing;
        self.fan_out
            .statistics
            .record(&DayStatistics {
                started_at,
                finished_at: self.invocation.now(),
                counts,
            })
            .await?;

        self.state.listing = None;
        self.state.listed_fully_at = Some(started_at);
        self.state.listed_to = self.state.listed_to.max(Some(started_at));
        self.save().await?;
        Ok(ListingOutcome::Completed)
    }
}

/// Whether the failure is one of this page: BILL does not accept its token, or what BILL returned
/// cannot be read.
fn is_page_rejected(failure: &Failure) -> bool {
    matches!(
        failure.error_type,
        ErrorType::BillRefused | ErrorType::BillBadAnswer
    )
}
