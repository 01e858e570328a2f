//! One pass over the list of organizations.

use std::{collections::HashSet, time::Duration};

use bill::{BillClient, Page, PageToken};
use engagement::OrganizationId;
use jiff::Timestamp;
use runtime::{ErrorType, Failure, Invocation, clock};
use store::{Organizations, SweepCursor, SweepPosition};

use crate::{
    page,
    queue::SyncQueue,
    summary::{RunOutcome, Summary},
};

/// Time that must be left before the next page is processed, so that a run saves its cursor before
/// the deadline.
const PAGE_TIME_RESERVE: Duration = Duration::from_secs(20);

/// One pass over the list of organizations.
pub struct Sweep<'a> {
    pub bill: &'a BillClient,
    pub organizations: &'a Organizations,
    pub cursor: &'a SweepCursor,
    pub queue: &'a SyncQueue,
    pub as_of: Timestamp,
    /// Whether every organization counts as due.
    pub all: bool,
    pub invocation: &'a Invocation,
    /// Number of syncs that may still be queued.
    pub sync_budget: u64,
    /// The organizations queued so far. BILL may list one on two pages.
    pub queued: HashSet<OrganizationId>,
    pub summary: Summary,
}

impl Sweep<'_> {
    /// Reads from a saved position to the end of the list, then from its start to the position.
    pub async fn run(&mut self, position: Option<SweepPosition>) -> Result<(), Failure> {
        let start = position.map(|position| PageToken::new(position.page));
        if let Some(start) = &start {
            match self.read_pages(Some(start.clone()), None).await {
                Ok(RunOutcome::Completed) => self.cursor.clear().await?,
                Ok(_) => return Ok(()),
                Err(failure) if failure.error_type == ErrorType::BillRefused => {
                    tracing::warn!(
                        "BILL no longer accepts the saved page token; the run starts at the \
                         first page"
                    );
                    self.cursor.clear().await?;
                }
                Err(failure) => return Err(failure),
            }
        }

        self.read_pages(None, start.as_ref()).await?;
        Ok(())
    }

    /// Reads pages from `first` to the end of the list or to `until`. While the due organizations
    /// of a page are queued, the next page is fetched.
    async fn read_pages(
        &mut self,
        first: Option<PageToken>,
        until: Option<&PageToken>,
    ) -> Result<RunOutcome, Failure> {
        let mut token = first;
        let mut fetched = Some(fetch_page(self.bill, self.invocation, token.as_ref()).await?);

        while let Some(page) = fetched.take() {
            self.summary.pages += 1;
            let next = page.next.clone().filter(|next| Some(next) != until);
            let (bill, invocation) = (self.bill, self.invocation);
            let fetch_next = async {
                match &next {
                    Some(next) => fetch_page(bill, invocation, Some(next)).await.map(Some),
                    None => Ok(None),
                }
            };
            let (queued_all, following) = tokio::join!(self.queue_due(page), fetch_next);
            if !queued_all? {
                return self.stop_at(RunOutcome::BudgetSpent, token).await;
            }

            fetched = following?;
            token = next;
            if fetched.is_some() && self.invocation.deadline.is_near(PAGE_TIME_RESERVE) {
                return self.stop_at(RunOutcome::OutOfTime, token).await;
            }
        }

        Ok(RunOutcome::Completed)
    }

    /// Queues the organizations of a page that are due. `false` means that the budget does not
    /// cover all of them.
    async fn queue_due(&mut self, page: Page<bill::Organization>) -> Result<bool, Failure> {
        let (listed, skipped) = page::listed_organizations(page);
        self.summary.organizations += listed.len() as u64;
        self.summary.skipped += skipped;

        let mut due =
            page::due_organizations(self.organizations, listed, self.as_of, self.all).await?;
        due.retain(|organization| self.queued.insert(organization.id.clone()));
        self.summary.due += due.len() as u64;

        let allowed = usize::try_from(self.sync_budget)
            .unwrap_or(usize::MAX)
            .min(due.len());
        let is_within_budget = allowed == due.len();
        due.truncate(allowed);
        self.sync_budget -= allowed as u64;

        let requests = page::sync_requests(due, &self.summary.run_id, self.as_of, self.all);
        self.summary.queued += self.queue.send(&requests).await?;
        Ok(is_within_budget)
    }

    /// Ends the sweep and saves the page at which the next run continues. The first page has no
    /// token and needs no cursor.
    async fn stop_at(
        &mut self,
        outcome: RunOutcome,
        token: Option<PageToken>,
    ) -> Result<RunOutcome, Failure> {
        self.summary.outcome = outcome;

        match token {
            Some(token) => {
                let position = SweepPosition {
                    page: token.as_str().to_owned(),
                    run_id: self.summary.run_id.clone(),
                    saved_at: clock::now(),
                };
                self.cursor.save(&position).await?;
            }
            None => self.cursor.clear().await?,
        }
        Ok(outcome)
    }
}

/// Fetches a page of the list. `BDC_1144` in the first minute of an hour may still refer to the
/// hour before, because clocks differ: it is believed when it comes again after that minute.
async fn fetch_page(
    bill: &BillClient,
    invocation: &Invocation,
    page: Option<&PageToken>,
) -> Result<Page<bill::Organization>, bill::Error> {
    let deadline = invocation.deadline.instant();
    match bill.organizations_page(page, deadline).await {
        Err(error) if error.is_hour_exhausted() => {
            let Some(wait) = clock::until_start_of_hour_is_over(invocation.now()) else {
                return Err(error);
            };
            tokio::time::sleep(wait).await;
            bill.organizations_page(page, deadline).await
        }
        result => result,
    }
}
