//! Reads the pages of BILL's list of organizations within the hour's budget.

use bill::{BillClient, OrganizationOrder, Page, PageToken};
use runtime::{ClassifiedError, ErrorType, Failure, Invocation, clock};
use store::{BudgetAmount, BudgetShare, HourlyBudget};

/// One request of the budget.
const ONE_REQUEST: BudgetAmount = BudgetAmount {
    requests: 1,
    sign_ins: 0,
};

/// Reads pages for one run.
pub struct PageReader<'a> {
    pub bill: &'a BillClient,
    pub budget: &'a HourlyBudget,
    pub invocation: &'a Invocation,
}

impl PageReader<'_> {
    /// Reads a page, `None` for the first one. `Ok(None)`: the share, or BILL's own limit, has no
    /// request left in this hour.
    pub async fn read(
        &self,
        share: BudgetShare,
        order: OrganizationOrder,
        page: Option<&PageToken>,
    ) -> Result<Option<Page<bill::Organization>>, Failure> {
        let now = self.invocation.now();
        let Some(reservation) = self.budget.reserve(now, share, ONE_REQUEST).await? else {
            return Ok(None);
        };

        let requests_before = self.bill.requests();
        let result = self.fetch(order, page).await;
        let requests = self.bill.requests() - requests_before;
        let used = BudgetAmount {
            requests: u32::try_from(requests).unwrap_or(u32::MAX),
            sign_ins: 0,
        };
        if let Err(error) = self.budget.settle(reservation, used).await {
            tracing::warn!(
                error_type = error.error_type().name(),
                "the requests for a page could not be counted"
            );
        }

        match result {
            Err(error) if error.is_hour_exhausted() => {
                self.close_hour().await;
                Ok(None)
            }
            result => Ok(Some(result?)),
        }
    }

    /// `BDC_1144` in the first minute of an hour may still be about the hour before, because clocks
    /// differ: it is believed when it comes again after that minute.
    async fn fetch(
        &self,
        order: OrganizationOrder,
        page: Option<&PageToken>,
    ) -> Result<Page<bill::Organization>, bill::Error> {
        let deadline = self.invocation.deadline.instant();
        match self.bill.organizations_page(order, page, deadline).await {
            Err(error) if error.is_hour_exhausted() => {
                let Some(wait) = clock::until_start_of_hour_is_over(self.invocation.now()) else {
                    return Err(error);
                };
                tokio::time::sleep(wait).await;
                self.bill.organizations_page(order, page, deadline).await
            }
            result => result,
        }
    }

    /// Ends the hour's budget for all functions, because BILL's own limit is used up.
    async fn close_hour(&self) {
        tracing::warn!(
            error_type = ErrorType::BillHourExhausted.name(),
            "BILL's requests of this hour are used up; the next run continues"
        );

        if let Err(error) = self.budget.close_hour(self.invocation.now()).await {
            tracing::warn!(
                error_type = error.error_type().name(),
                "the hour's budget could not be closed for other functions"
            );
        }
    }
}
