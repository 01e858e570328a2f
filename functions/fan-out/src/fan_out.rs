//! The function: its clients, and one run with its record.

use std::collections::HashSet;

use aws_config::SdkConfig;
use bill::{BillClient, Credentials};
use runtime::{AsOfLimit, Failure, Invocation, ScheduleEvent, Secret};
use store::{HourlyBudget, Organizations, RunLog, StatisticsLog, SweepStates, Tables};

use crate::{
    config::Config, page_reader::PageReader, queue::SyncQueue, run::Run, summary::Summary,
};

/// Lists organizations and queues those that are due. Built once per process.
pub struct FanOut {
    bill: BillClient,
    /// The credentials of `bill`. Each run reads them first, so that a missing secret is reported
    /// before anything else happens.
    credentials: Secret<Credentials>,
    pub(crate) organizations: Organizations,
    pub(crate) budget: HourlyBudget,
    pub(crate) states: SweepStates,
    pub(crate) statistics: StatisticsLog,
    as_of_limit: AsOfLimit,
    run_log: RunLog,
    pub(crate) queue: SyncQueue,
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
            states: tables.sweep_states(),
            statistics: tables.statistics(),
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
        let state = self.states.load().await?;

        let mut run = Run {
            fan_out: self,
            invocation,
            pages: PageReader {
                bill: &self.bill,
                budget: &self.budget,
                invocation,
            },
            as_of,
            saved: state.clone(),
            state,
            queued: HashSet::new(),
            summary: Summary {
                run_id: invocation.request_id.clone(),
                ..Summary::default()
            },
        };
        let result = Box::pin(run.take_steps(event.all)).await;

        run.count_sweep_without_budget().await?;
        let requests = self.bill.requests() - requests_before;
        run.summary.emit_metrics(
            requests,
            run.state.sweeps_without_budget,
            &invocation.metrics,
        );
        result?;

        let summary = run.summary;
        self.run_log
            .record(&summary.run_record(as_of, started_at, invocation.now()))
            .await?;
        Ok(summary)
    }
}
