//! The function with a sandbox, tables and a dead-letter queue of its own.

use std::{io::sink, sync::LazyLock, time::Duration};

use aws_lambda_events::event::sqs::SqsEvent;
use bill_connection::BillConfig;
use engagement::{ListedOrganization, Organization, SyncRequest};
use jiff::{SignedDuration, Timestamp};
use runtime::{Deadline, Failure, Invocation, Metrics, clock};
use sandbox::{Fault, FaultKind, Options, Population, Sandbox};
use serde_json::{Value, json};
use store::{HourlyLimits, TableNames, Tables};
use sync_organization::{Config, Sync};
use test_support::LocalAws;

/// Longer than a batch takes.
pub const PLENTY_OF_TIME: Duration = Duration::from_mins(1);

/// A limit that no batch reaches.
pub const PLENTY_OF_REQUESTS: u32 = 10_000;

/// How far the clock of the tests is from the real one: they begin in the middle of a clock hour,
/// so that neither the start nor the end of an hour changes what they see.
static CLOCK_OFFSET: LazyLock<SignedDuration> = LazyLock::new(|| {
    let second = clock::now().as_second();
    SignedDuration::from_secs(1_800 - second.rem_euclid(3_600))
});

/// The current time of the tests, in whole seconds.
pub fn now() -> Timestamp {
    clock::now() + *CLOCK_OFFSET
}

pub struct TestSync {
    pub sandbox: Sandbox,
    pub tables: Tables,
    pub names: TableNames,
    aws: LocalAws,
    credentials: String,
    address_key: String,
    dead_letters: String,
}

/// What a batch returned and counted.
pub struct BatchResult {
    /// The numbers of the messages that were returned to the queue.
    pub returned: Vec<usize>,
    pub metrics: Metrics,
}

impl TestSync {
    /// A partner with this number of organizations, none of which has been synced.
    pub async fn start(organizations: usize) -> Self {
        let options = Options {
            population: Population {
                organizations,
                ..Population::default()
            },
            ..Options::default()
        };
        let sandbox = Sandbox::start(options).await.unwrap();
        let aws = LocalAws::connect();
        let names = aws.create_tables().await;
        let credentials = sandbox.credentials().to_json();

        Self {
            tables: Tables::new(store::client(&aws.config), names.clone()),
            credentials: aws.create_secret("bill", &credentials).await,
            address_key: aws.create_secret("address-key", "a key for tests").await,
            dead_letters: aws.create_queue("dead-letters").await,
            sandbox,
            aws,
            names,
        }
    }

    pub fn limits(requests_per_hour: u32) -> HourlyLimits {
        HourlyLimits {
            requests_per_hour,
            sign_ins_per_hour: None,
            events_share: 50,
        }
    }

    pub fn config(&self, requests_per_hour: u32) -> Config {
        Config {
            bill: BillConfig {
                bill_base_url: self.sandbox.url().parse().unwrap(),
                bill_credentials_secret: self.credentials.clone(),
            },
            limits: Self::limits(requests_per_hour),
            tables: self.names.clone(),
            address_key_secret: self.address_key.clone(),
            sync_dead_letter_queue_url: self.dead_letters.clone(),
            environment: "local".to_owned(),
        }
    }

    /// A new process of the function.
    pub fn function(&self, config: Config) -> Sync {
        Sync::new(config, &self.aws.config).unwrap()
    }

    /// A batch with these bodies in a new process, which must not fail as a whole.
    pub async fn run(&self, bodies: &[String]) -> BatchResult {
        let config = self.config(PLENTY_OF_REQUESTS);
        self.run_with(config, bodies, PLENTY_OF_TIME).await.unwrap()
    }

    pub async fn run_with(
        &self,
        config: Config,
        bodies: &[String],
        time: Duration,
    ) -> Result<BatchResult, Failure> {
        handle(&self.function(config), bodies, time, 1).await
    }

    /// The organizations of BILL's list.
    pub fn listed(&self) -> Vec<ListedOrganization> {
        let expectations = self.sandbox.expectations(self.sandbox.now());
        let ids = expectations
            .into_iter()
            .filter_map(|expectation| expectation.organization_id);
        ids.map(|id| {
            let organization = self.sandbox.organization(&id).unwrap();
            ListedOrganization {
                id: id.parse().unwrap(),
                name: None,
                archived: organization.archived,
                created_at: Some(organization.created_at),
            }
        })
        .collect()
    }

    /// The first organizations that are not archived and have a user.
    pub fn customers(&self, count: usize) -> Vec<ListedOrganization> {
        let is_customer = |organization: &ListedOrganization| {
            let facts = self.sandbox.organization(organization.id.as_str()).unwrap();
            !facts.archived && facts.users.iter().any(|user| !user.archived)
        };
        let customers: Vec<_> = self
            .listed()
            .into_iter()
            .filter(is_customer)
            .take(count)
            .collect();
        assert_eq!(customers.len(), count);
        customers
    }

    pub async fn record(&self, organization: &ListedOrganization) -> Option<Organization> {
        let organizations = self.tables.organizations();
        organizations.get(&organization.id).await.unwrap()
    }

    /// The item of an organization, with the recorded failure.
    pub async fn item(&self, organization: &ListedOrganization) -> Option<Value> {
        let items = self.aws.items(&self.names.organizations_table).await;
        items
            .into_iter()
            .find(|item| item["organization_id"] == organization.id.as_str())
    }

    pub async fn put_organization(&self, item: Value) {
        let table = &self.names.organizations_table;
        self.aws.put_item(table, item).await;
    }

    pub async fn dead_letters(&self) -> Vec<String> {
        self.aws.drain_queue(&self.dead_letters).await
    }

    /// Every request about this organization fails in this way.
    pub fn fail_requests(&self, organization: &ListedOrganization, kind: FaultKind) {
        self.sandbox.add_fault(Fault {
            endpoint: None,
            organization_id: Some(organization.id.to_string()),
            kind,
            times: None,
        });
    }
}

/// A batch with these bodies, each of which SQS delivers for the time `receive_count`.
pub async fn handle(
    function: &Sync,
    bodies: &[String],
    time: Duration,
    receive_count: u32,
) -> Result<BatchResult, Failure> {
    handle_at(function, bodies, time, receive_count, now()).await
}

/// A batch that starts at `started_at`.
pub async fn handle_at(
    function: &Sync,
    bodies: &[String],
    time: Duration,
    receive_count: u32,
    started_at: Timestamp,
) -> Result<BatchResult, Failure> {
    let record = |(number, body): (usize, &String)| {
        json!({
            "messageId": number.to_string(),
            "body": body,
            "attributes": { "ApproximateReceiveCount": receive_count.to_string() },
        })
    };
    let records: Vec<Value> = bodies.iter().enumerate().map(record).collect();
    let event: SqsEvent = serde_json::from_value(json!({ "Records": records })).unwrap();
    let metrics = Metrics::to_writer("sync-organization", "local", sink());
    let invocation = Invocation {
        started_at,
        ..Invocation::new("batch".to_owned(), Deadline::after(time), metrics)
    };

    let response = function.handle(event, &invocation).await?;

    let failures = response.batch_item_failures.iter();
    Ok(BatchResult {
        returned: failures
            .map(|failure| failure.item_identifier.parse().unwrap())
            .collect(),
        metrics: invocation.metrics,
    })
}

/// The message of fan-out for this organization.
pub fn request(organization: &ListedOrganization, as_of: Timestamp) -> SyncRequest {
    SyncRequest {
        schema_version: SyncRequest::SCHEMA_VERSION,
        run_id: "run".to_owned(),
        organization: organization.clone(),
        as_of,
        all: false,
        events_until: None,
    }
}

/// The messages of fan-out for these organizations, now.
pub fn messages(organizations: &[ListedOrganization]) -> Vec<String> {
    let as_of = now();
    organizations
        .iter()
        .map(|organization| body(&request(organization, as_of)))
        .collect()
}

pub fn body(request: &SyncRequest) -> String {
    serde_json::to_string(request).unwrap()
}
