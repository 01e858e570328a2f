//! One run of the function: budget, sweep, and the record of the run.

use std::{collections::HashSet, num::NonZeroU32};

use aws_config::SdkConfig;
use bill::{BillClient, Credentials};
use jiff::{SignedDuration, Timestamp};
use runtime::{
    AsOfLimit, ClassifiedError, ErrorType, Failure, Invocation, ScheduleEvent, Secret, clock,
};
use store::{
    BudgetAmount, BudgetShare, HourlyBudget, Organizations, RunLog, SweepCursor, SweepPosition,
    Tables,
};

use crate::{
    config::Config,
    queue::SyncQueue,
    summary::{RunOutcome, Summary},
    sweep::Sweep,
};

/// BILL requests that one sync usually makes at most: users, sign-in, bank accounts, payments,
/// verification.
const REQUESTS_PER_SYNC: NonZeroU32 = NonZeroU32::new(5).unwrap();

/// The time for which a saved page is used. A run that ends early saves one every hour.
const POSITION_LIFETIME: SignedDuration = SignedDuration::from_hours(6);

/// Lists organizations and queues those that are due. Built once per process.
pub struct FanOut {
    bill: BillClient,
    /// The credentials of `bill`. Each run reads them first, so that a missing secret is reported
    /// before anything else happens.
    credentials: Secret<Credentials>,
    organizations: Organizations,
    budget: HourlyBudget,
    cursor: SweepCursor,
    as_of_limit: AsOfLimit,
    run_log: RunLog,
    queue: SyncQueue,
}

impl FanOut {
    /// Builds the clients. An `Err` is permanent: BILL's client could not be built.
    pub fn new(config: Config, aws: &SdkConfig) -> Result<Self, Failure> {
        let (bill, credentials) = bill_connection::connect(aws, config.bill)?;
        let tables = Tables::new(store::client(aws), config.tables);

        Ok(Self {
            bill,
            credentials,
            organizations: tables.organizations(),
            budget: tables.hourly_budget(config.limits),
            cursor: tables.sweep_cursor(),
            as_of_limit: AsOfLimit::for_environment(&config.environment),
            run_log: tables.run_log(),
            queue: SyncQueue::new(aws, config.sync_queue_url),
        })
    }

    /// Runs once. A time in the future is refused. Any other `Err` means that BILL or AWS could not
    /// be reached or rejected a request. The organizations that were not queued stay due, and the
    /// next run queues them.
    pub async fn run(
        &self,
        event: &ScheduleEvent,
        invocation: &Invocation,
    ) -> Result<Summary, Failure> {
        let started_at = invocation.started_at;
        let as_of = event.as_of(invocation);
        self.as_of_limit.check(as_of, started_at)?;
        self.credentials.get().await?;
        let requests_before = self.bill.requests();

        let (remaining, position) = futures::try_join!(
            self.budget.remaining(started_at, BudgetShare::Sweep),
            self.cursor.load()
        )?;
        let sync_budget = (remaining.requests / REQUESTS_PER_SYNC).min(remaining.sign_ins);

        let mut sweep = Sweep {
            bill: &self.bill,
            organizations: &self.organizations,
            cursor: &self.cursor,
            queue: &self.queue,
            as_of,
            all: event.all,
            invocation,
            sync_budget: u64::from(sync_budget),
            queued: HashSet::new(),
            summary: Summary {
                run_id: invocation.request_id.clone(),
                ..Summary::default()
            },
        };
        let sweep_result = if sync_budget == 0 {
            sweep.summary.outcome = RunOutcome::BudgetSpent;
            Ok(())
        } else {
            Box::pin(sweep.run(fresh_position(position, started_at))).await
        };
        let mut summary = sweep.summary;

        let requests = u32::try_from(self.bill.requests() - requests_before).unwrap_or(u32::MAX);
        if summary.pages > 0 {
            self.count_requests(started_at, requests).await;
        }
        let sweep_result = match sweep_result {
            Err(failure) if failure.error_type == ErrorType::BillHourExhausted => {
                summary.outcome = RunOutcome::BudgetSpent;
                self.close_hour(invocation.now()).await;
                Ok(())
            }
            result => result,
        };
        summary.emit_metrics(requests, &invocation.metrics);
        sweep_result?;

        self.run_log
            .record(&summary.run_record(as_of, started_at, clock::now()))
            .await?;
        Ok(summary)
    }

    /// Ends the hour's budget for all functions, because BILL's own limit is used up.
    async fn close_hour(&self, now: Timestamp) {
        tracing::warn!(
            error_type = ErrorType::BillHourExhausted.name(),
            "BILL's requests of this hour are used up; the next run continues"
        );

        if let Err(error) = self.budget.close_hour(now).await {
            tracing::warn!(
                error_type = error.error_type().name(),
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
        if let Err(error) = self
            .budget
            .record_usage(now, BudgetShare::Sweep, used)
            .await
        {
            tracing::warn!(
                error_type = error.error_type().name(),
                "the run's BILL requests could not be counted"
            );
        }
    }
}

/// The saved position, unless it is too old. BILL does not document how long a page token is valid.
fn fresh_position(position: Option<SweepPosition>, now: Timestamp) -> Option<SweepPosition> {
    position.filter(|position| now.duration_since(position.saved_at) < POSITION_LIFETIME)
}
