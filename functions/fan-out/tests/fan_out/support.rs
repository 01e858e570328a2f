//! The function with a sandbox, tables and a queue of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::sink,
    sync::LazyLock,
    time::Duration,
};

use aws_config::SdkConfig;
use bill_connection::BillConfig;
use engagement::SyncRequest;
use fan_out::{Config, FanOut, Summary};
use jiff::{SignedDuration, Timestamp};
use runtime::{Deadline, Failure, Invocation, Metrics, ScheduleEvent, clock};
use sandbox::{Options, Population, Sandbox, Switches};
use serde_json::Value;
use store::{HourlyLimits, SweepState, TableNames, Tables};
use test_support::LocalAws;

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

    /// A run so many hours after [`STARTED_AT`], which must succeed.
    pub async fn run_at(&self, hour: i64) -> Summary {
        let function = self.function(PLENTY_OF_REQUESTS);
        let event = event_at(hour);
        run(&function, &event, PLENTY_OF_TIME).await.unwrap()
    }

    /// A run that must succeed.
    pub async fn run(&self, requests_per_hour: u32, time: Duration) -> Summary {
        let event = ScheduleEvent::default();
        let result = run(&self.function(requests_per_hour), &event, time).await;
        result.unwrap()
    }

    /// A run at [`STARTED_AT`] for an event of any time.
    pub async fn run_for(
        &self,
        function: &FanOut,
        event: &ScheduleEvent,
    ) -> Result<Summary, Failure> {
        run_from(function, event, PLENTY_OF_TIME, *STARTED_AT).await
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

    /// What the last run left.
    pub async fn state(&self) -> SweepState {
        self.tables.sweep_states().load().await.unwrap()
    }

    /// Changes what the last run left.
    pub async fn change_state(&self, change: impl FnOnce(&mut SweepState)) {
        let before = self.state().await;
        let mut state = before.clone();
        change(&mut state);
        let states = self.tables.sweep_states();
        states.save(&before, &state, *STARTED_AT).await.unwrap();
    }

    /// The items of the table by organization.
    pub async fn items(&self) -> BTreeMap<String, Value> {
        let items = self.aws.items(&self.names.organizations_table).await;
        let with_id = |item: Value| (item["organization_id"].as_str().unwrap().to_owned(), item);
        items.into_iter().map(with_id).collect()
    }

    /// The items of the table `runs` whose key begins with `prefix`.
    pub async fn runs(&self, prefix: &str) -> Vec<Value> {
        let items = self.aws.items(&self.names.runs_table).await;
        let has_prefix = |item: &Value| item["run"].as_str().unwrap().starts_with(prefix);
        items.into_iter().filter(has_prefix).collect()
    }

    pub async fn put_run(&self, item: Value) {
        self.aws.put_item(&self.names.runs_table, item).await;
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

/// The schedule's event so many hours after [`STARTED_AT`].
pub fn event_at(hour: i64) -> ScheduleEvent {
    ScheduleEvent {
        time: Some(*STARTED_AT + SignedDuration::from_hours(hour)),
        all: false,
    }
}

/// A run at the time of the event, or at [`STARTED_AT`] if the event has none.
pub async fn run(
    function: &FanOut,
    event: &ScheduleEvent,
    time: Duration,
) -> Result<Summary, Failure> {
    run_from(function, event, time, event.time.unwrap_or(*STARTED_AT)).await
}

async fn run_from(
    function: &FanOut,
    event: &ScheduleEvent,
    time: Duration,
    started_at: Timestamp,
) -> Result<Summary, Failure> {
    let metrics = Metrics::to_writer("fan-out", "local", sink());
    let invocation = Invocation {
        started_at,
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
