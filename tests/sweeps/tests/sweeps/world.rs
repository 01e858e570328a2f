//! A partner with its customers, and the two functions that sync them.

use std::{io::sink, time::Duration};

use aws_lambda_events::event::sqs::SqsEvent;
use bill_connection::BillConfig;
use engagement::{OrganizationId, SyncRequest};
use fan_out::{FanOut, Summary};
use jiff::{SignedDuration, Timestamp};
use runtime::{Deadline, Invocation, Metrics, ScheduleEvent};
use sandbox::{Options, Population, Sandbox};
use serde_json::{Value, json};
use store::{HourlyLimits, OrganizationRow, Organizations, StoredOrganization, Tables};
use sync_organization::Sync;

use crate::in_memory_aws::InMemoryAws;

/// When the story begins.
pub const BEGIN: &str = "2026-11-23T06:30:00Z";

/// Receives of a message that cannot be processed. SQS would deliver it two times more.
const RECEIVES: u32 = 3;

/// Messages that SQS delivers at once.
pub const BATCH_SIZE: usize = 10;

pub struct World {
    pub sandbox: Sandbox,
    pub aws: InMemoryAws,
    pub tables: Tables,
    pub organizations: Organizations,
    /// The start of the current hour's run.
    pub now: Timestamp,
    fan_out: FanOut,
    sync: Sync,
}

/// A sync that was tried for a message of fan-out.
#[derive(Debug)]
pub struct Attempt {
    pub id: OrganizationId,
    /// Since when the organization was due.
    pub due_since: Timestamp,
    pub is_synced: bool,
}

impl World {
    /// A partner with this number of organizations, none of which is known, and this limit of BILL
    /// requests per hour.
    pub async fn start(organizations: usize, requests_per_hour: u32) -> Self {
        let now: Timestamp = BEGIN.parse().unwrap();
        let options = Options {
            population: Population {
                organizations,
                ..Population::default()
            },
            clock: now,
            ..Options::default()
        };
        let sandbox = Sandbox::start(options).await.unwrap();
        let secrets = [
            ("bill".to_owned(), sandbox.credentials().to_json()),
            ("key".to_owned(), "a key for tests".to_owned()),
        ];
        let aws = InMemoryAws::start(secrets.into()).await;
        let bill = BillConfig {
            bill_base_url: sandbox.url().parse().unwrap(),
            bill_credentials_secret: "bill".to_owned(),
        };
        let limits = HourlyLimits {
            requests_per_hour,
            sign_ins_per_hour: None,
            events_share: 50,
        };
        let fan_out = fan_out::Config {
            bill: bill.clone(),
            limits,
            tables: aws.names.clone(),
            sync_queue_url: "http://127.0.0.1:1/sync".to_owned(),
            environment: "local".to_owned(),
        };
        let sync = sync_organization::Config {
            bill,
            limits,
            tables: aws.names.clone(),
            address_key_secret: "key".to_owned(),
            sync_dead_letter_queue_url: "http://127.0.0.1:1/dead".to_owned(),
            environment: "local".to_owned(),
        };
        let tables = Tables::new(store::client(&aws.config), aws.names.clone());

        Self {
            organizations: tables.organizations(),
            fan_out: FanOut::new(fan_out, &aws.config).unwrap(),
            sync: Sync::new(sync, &aws.config).unwrap(),
            sandbox,
            aws,
            tables,
            now,
        }
    }

    /// Moves all clocks to the next hour.
    pub fn next_hour(&mut self) {
        let hour = SignedDuration::from_hours(1);
        self.now += hour;
        self.sandbox.advance(hour);
    }

    /// One run of fan-out, and the syncs that it queues.
    pub async fn sweep(&self) -> (Summary, Vec<Attempt>) {
        let summary = self.fan_out().await;
        let mut attempts = Vec::new();
        for batch in self.aws.take_messages().chunks(BATCH_SIZE) {
            let before = self.rows(batch).await;
            self.process(batch).await;
            let after = self.rows(batch).await;
            let pairs = before.into_iter().zip(after);
            // The budget may not cover the last ones, which stay as they are.
            let tried = pairs.filter(|(before, after)| before.next_check_at != after.next_check_at);
            attempts.extend(tried.map(|(before, after)| {
                Attempt {
                    id: before.listing.unwrap().id,
                    due_since: before.next_check_at.unwrap(),
                    is_synced: after
                        .record
                        .is_some_and(|record| record.checked_at == self.now),
                }
            }));
        }

        (summary, attempts)
    }

    /// The rows of the organizations of these messages.
    async fn rows(&self, messages: &[String]) -> Vec<OrganizationRow> {
        let id = |message| {
            let request: SyncRequest = serde_json::from_str(message).unwrap();
            request.organization.id
        };
        let ids: Vec<OrganizationId> = messages.iter().map(|message| id(message)).collect();
        let rows = self.organizations.get_all_for_sync(ids.clone()).await;
        let mut rows = rows.unwrap();
        let row = |id| match rows.remove(&id) {
            Some(Ok(StoredOrganization::Known(row))) => *row,
            other => panic!("{id}: {other:?}"),
        };
        ids.into_iter().map(row).collect()
    }

    /// One run of fan-out.
    pub async fn fan_out(&self) -> Summary {
        let event = ScheduleEvent {
            time: Some(self.now),
            all: false,
        };
        let invocation = Self::invocation("fan-out", self.now);
        self.fan_out.run(&event, &invocation).await.unwrap()
    }

    /// The sync of an event that arrived a few minutes ago.
    pub async fn event(&self, id: &OrganizationId) {
        let received_at = self.now - SignedDuration::from_mins(5);
        let (request, _) = SyncRequest::for_event(id.clone(), "event", received_at);
        let message = serde_json::to_string(&request).unwrap();
        self.process(&[message]).await;
    }

    /// Processes a batch of messages. Those that are returned to the queue are delivered again.
    pub async fn process(&self, messages: &[String]) {
        let mut messages = messages.to_vec();
        for receive in 1..=RECEIVES {
            let record = |(number, body): (usize, &String)| {
                json!({
                    "messageId": number.to_string(),
                    "body": body,
                    "attributes": { "ApproximateReceiveCount": receive.to_string() },
                })
            };
            let records: Vec<Value> = messages.iter().enumerate().map(record).collect();
            let event: SqsEvent = serde_json::from_value(json!({ "Records": records })).unwrap();
            let invocation = Self::invocation("sync-organization", self.now);
            let response = self.sync.handle(event, &invocation).await.unwrap();

            let returned = response.batch_item_failures.iter().map(|failure| {
                let number: usize = failure.item_identifier.parse().unwrap();
                messages[number].clone()
            });
            messages = returned.collect();
            if messages.is_empty() {
                return;
            }
        }
    }

    fn invocation(function: &'static str, started_at: Timestamp) -> Invocation {
        let metrics = Metrics::to_writer(function, "local", sink());
        let deadline = Deadline::after(Duration::from_mins(14));
        Invocation {
            started_at,
            ..Invocation::new("run".to_owned(), deadline, metrics)
        }
    }

    /// The ids of the organizations in the order of BILL's list.
    pub fn listed(&self) -> Vec<OrganizationId> {
        let expectations = self.sandbox.expectations(self.sandbox.now());
        let ids = expectations.into_iter().filter_map(|it| it.organization_id);
        ids.map(|id| id.parse().unwrap()).collect()
    }
}
