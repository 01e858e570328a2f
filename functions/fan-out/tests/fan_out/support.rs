//! The function with a sandbox, tables and a queue of its own.

use std::{collections::BTreeSet, io::sink, sync::LazyLock, time::Duration};

use aws_config::SdkConfig;
use bill_connection::BillConfig;
use engagement::SyncRequest;
use fan_out::{Config, FanOut, Summary};
use jiff::Timestamp;
use runtime::{Deadline, Failure, Invocation, Metrics, ScheduleEvent, clock};
use sandbox::{Options, Population, Sandbox, Switches};
use serde_json::Value;
use store::{HourlyLimits, SweepCursor, TableNames, Tables};
use test_support::LocalAws;

/// Organizations on a page of BILL's list.
pub const PAGE: usize = 100;

/// Longer than a run takes.
pub const PLENTY_OF_TIME: Duration = Duration::from_mins(4);

/// A limit that no run reaches.
pub const PLENTY_OF_REQUESTS: u32 = 10_000;

/// When every invocation of a test starts: in the middle of the clock hour in which the test began,
/// so that neither the start nor the end of an hour changes what the test sees.
pub static STARTED_AT: LazyLock<Timestamp> = LazyLock::new(|| {
    let second = clock::now().as_second();
    Timestamp::from_second(second - second.rem_euclid(3_600) + 1_800).unwrap()
});

pub struct TestSweep {
    pub sandbox: Sandbox,
    pub tables: Tables,
    aws: LocalAws,
    names: TableNames,
    secret: String,
    queue: String,
}

impl TestSweep {
    /// A partner with this number of organizations, none of which has been synced.
    pub async fn start(organizations: usize) -> Self {
        Self::with_population(Population {
            organizations,
            ..Population::default()
        })
        .await
    }

    pub async fn with_population(population: Population) -> Self {
        let options = Options {
            population,
            ..Options::default()
        };
        let sandbox = Sandbox::start(options).await.unwrap();
        let aws = LocalAws::connect();
        let names = aws.create_tables().await;
        let credentials = sandbox.credentials().to_json();

        Self {
            tables: Tables::new(store::client(&aws.config), names.clone()),
            secret: aws.create_secret("bill", &credentials).await,
            queue: aws.create_queue("sync").await,
            sandbox,
            aws,
            names,
        }
    }

    /// A new process of the function, with this limit of BILL requests per hour.
    pub fn function(&self, requests_per_hour: u32) -> FanOut {
        FanOut::new(self.config(requests_per_hour), self.aws()).unwrap()
    }

    pub fn config(&self, requests_per_hour: u32) -> Config {
        Config {
            bill: BillConfig {
                bill_base_url: self.sandbox.url().parse().unwrap(),
                bill_credentials_secret: self.secret.clone(),
            },
            limits: HourlyLimits {
                requests_per_hour,
                sign_ins_per_hour: None,
                events_share: 50,
            },
            tables: self.names.clone(),
            sync_queue_url: self.queue.clone(),
            environment: "local".to_owned(),
        }
    }

    pub fn aws(&self) -> &SdkConfig {
        &self.aws.config
    }

    /// A run that must succeed.
    pub async fn run(&self, requests_per_hour: u32, time: Duration) -> Summary {
        let event = ScheduleEvent::default();
        let result = run(&self.function(requests_per_hour), &event, time).await;
        result.unwrap()
    }

    /// The ids of the organizations that were queued since the last call.
    pub async fn queued(&self) -> Vec<String> {
        let bodies = self.aws.drain_queue(&self.queue).await;
        let request = |body: &String| serde_json::from_str::<SyncRequest>(body).unwrap();
        bodies
            .iter()
            .map(|body| request(body).organization.id.to_string())
            .collect()
    }

    /// The ids of the organizations in the order of BILL's list.
    pub fn listed(&self) -> Vec<String> {
        let expectations = self.sandbox.expectations(self.sandbox.now());
        expectations
            .into_iter()
            .filter_map(|expectation| expectation.organization_id)
            .collect()
    }

    pub fn cursor(&self) -> SweepCursor {
        self.tables.sweep_cursor()
    }

    pub async fn put_organization(&self, item: Value) {
        let table = &self.names.organizations_table;
        self.aws.put_item(table, item).await;
    }

    /// From now on BILL answers this number of requests per hour and rejects the others with
    /// `BDC_1144`.
    pub fn limit_bill(&self, hourly_limit: u64) {
        self.sandbox.set_switches(Switches {
            hourly_limit,
            ..Switches::default()
        });
    }
}

pub async fn run(
    function: &FanOut,
    event: &ScheduleEvent,
    time: Duration,
) -> Result<Summary, Failure> {
    let metrics = Metrics::to_writer("fan-out", "local", sink());
    let invocation = Invocation {
        started_at: *STARTED_AT,
        ..Invocation::new("run".to_owned(), Deadline::after(time), metrics)
    };

    function.run(event, &invocation).await
}

/// The set of these ids; a repeated id fails the test.
pub fn unique(ids: Vec<String>) -> BTreeSet<String> {
    let count = ids.len();
    let ids = BTreeSet::from_iter(ids);
    assert_eq!(ids.len(), count, "an organization was queued twice");
    ids
}
