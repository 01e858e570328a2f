//! One run of the function: budget, sweep, and the record of the run.

use std::{collections::HashSet, num::NonZeroU32};

use bill::{BillClient, Credentials};
use jiff::{SignedDuration, Timestamp};
use runtime::{Deadline, Failure, Metrics, ScheduleEvent, Secret, clock};
use store::{BudgetAmount, Cursor, HourlyLimits, Organizations, Runs};

use crate::{
    failure::store_failure,
    queue::SyncQueue,
    summary::{RunOutcome, Summary},
    sweep::{Sweep, SweepError},
};

/// BILL requests that one sync usually makes at most: users, sign-in, bank accounts, payments,
/// verification.
const REQUESTS_PER_SYNC: NonZeroU32 = NonZeroU32::new(5).unwrap();

/// The time for which a saved page is used. A run that ends early saves one every hour.
const CURSOR_LIFETIME: SignedDuration = SignedDuration::from_hours(6);

/// Lists organizations and queues those that are due. Built once per process.
pub struct FanOut {
    /// BILL's partner API.
    pub bill: BillClient,
    /// The credentials of `bill`. Each run reads them first, so that a missing secret is reported
    /// before anything else happens.
    pub credentials: Secret<Credentials>,
    /// When organizations are due.
    pub organizations: Organizations,
    /// The hour's budget, the cursor, and the records of the runs.
    pub runs: Runs,
    /// The queue of sync requests.
    pub queue: SyncQueue,
    /// BILL requests and sign-ins per hour.
    pub limits: HourlyLimits,
}

impl FanOut {
    /// Runs once. An `Err` means that BILL or AWS could not be reached or rejected a request. The
    /// organizations that were not queued stay due, and the next run queues them.
    pub async fn run(
        &self,
        event: &ScheduleEvent,
        run_id: &str,
        deadline: Deadline,
        metrics: &Metrics,
    ) -> Result<Summary, Failure> {
        let started_at = clock::now();
        let as_of = event.as_of.unwrap_or(started_at);
        self.credentials.get().await?;
        let requests_before = self.bill.requests();

        let (remaining, cursor) = futures::try_join!(
            self.runs.remaining(started_at, self.limits),
            self.runs.cursor()
        )
        .map_err(store_failure)?;
        let sync_budget = (remaining.requests / REQUESTS_PER_SYNC).min(remaining.sign_ins);

        let mut sweep = Sweep {
            bill: &self.bill,
            organizations: &self.organizations,
            runs: &self.runs,
            queue: &self.queue,
            as_of,
            all: event.all,
            deadline,
            sync_budget: u64::from(sync_budget),
            queued: HashSet::new(),
            summary: Summary {
                run_id: run_id.to_owned(),
                ..Summary::default()
            },
        };
        let sweep_result = if sync_budget == 0 {
            sweep.summary.outcome = RunOutcome::BudgetSpent;
            Ok(())
        } else {
            Box::pin(sweep.run(fresh_cursor(cursor, started_at))).await
        };
        let mut summary = sweep.summary;

        let requests = u32::try_from(self.bill.requests() - requests_before).unwrap_or(u32::MAX);
        if summary.pages > 0 {
            self.count_requests(started_at, requests).await;
        }
        let sweep_result = match sweep_result {
            Err(SweepError::Bill(error)) if error.is_hour_exhausted() => {
                summary.outcome = RunOutcome::BudgetSpent;
                self.close_hour(started_at).await;
                Ok(())
            }
            result => result,
        };
        summary.emit_metrics(requests, metrics);
        sweep_result?;

        self.runs
            .record(&summary.run_record(as_of, started_at, clock::now()))
            .await
            .map_err(store_failure)?;
        Ok(summary)
    }

    /// Ends the hour's budget for all functions, because BILL's own limit is used up.
    async fn close_hour(&self, now: Timestamp) {
        tracing::warn!(
            error_type = "bill_hour_exhausted",
            "BILL's requests of this hour are used up; the next run continues"
        );

        if let Err(error) = self.runs.close_hour(now).await {
            tracing::warn!(
                error_type = error.type_name(),
                "the hour's budget could not be closed for other functions"
            );
        }
    }

    /// Counts the requests of the run against the hour's budget. A failure makes the count less
    /// precise and does not fail the run.
    async fn count_requests(&self, now: Timestamp, requests: u32) {
        let used = BudgetAmount {
            requests,
            sign_ins: 0,
        };
        if let Err(error) = self.runs.record_usage(now, used).await {
            tracing::warn!(
                error_type = error.type_name(),
                "the run's BILL requests could not be counted"
            );
        }
    }
}

/// The cursor, unless it is too old. BILL does not document how long a page token is valid.
fn fresh_cursor(cursor: Option<Cursor>, now: Timestamp) -> Option<Cursor> {
    cursor.filter(|cursor| now.duration_since(cursor.saved_at) < CURSOR_LIFETIME)
}
