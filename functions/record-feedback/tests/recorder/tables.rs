//! Batches of events with the tables of the local AWS.

use std::{io::sink, time::Duration};

use aws_lambda_events::event::sqs::SqsEvent;
use record_feedback::{Config, Recorder};
use runtime::{Deadline, ErrorType, Failure, Invocation, Metrics};
use serde_json::{Value, json};
use store::TableNames;
use test_support::LocalAws;

const BOUNCE: &str = include_str!("../events/bounce-permanent.json");
const SOFT_BOUNCE: &str = include_str!("../events/bounce-transient.json");
const COMPLAINT: &str = include_str!("../events/complaint.json");
const DELIVERY: &str = include_str!("../events/delivery.json");
const SEND: &str = include_str!("../events/send.json");

/// The recipient of the notice in the samples: HMAC-SHA256 of `marisol@kestrel.example`.
const MARISOL: &str = "5c6901cf6939e75d33312b9660c194f7afd8ec899bc47e9f5076660ca3f84bd3";

const PLENTY_OF_TIME: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_bounce_that_arrives_twice_is_recorded_once() {
    let stack = TestStack::start().await;

    assert_eq!(stack.run(&[BOUNCE]).await, [0; 0]);
    let (notice, contact) = (stack.notice().await, stack.contact().await);
    assert_eq!(stack.run(&[BOUNCE, BOUNCE]).await, [0; 0]);

    assert_eq!(
        (&notice["status"], &notice["reason"]),
        (&json!("bounced"), &json!("hard_bounce"))
    );
    assert!(contact["hard_bounced_at"].is_string(), "{contact}");
    assert_eq!(stack.notice().await, notice);
    assert_eq!(stack.contact().await, contact);
}

#[tokio::test]
async fn events_that_arrive_late_change_nothing() {
    let stack = TestStack::start().await;
    stack.run(&[COMPLAINT]).await;
    let notice = stack.notice().await;

    assert_eq!(stack.run(&[DELIVERY, SEND, SOFT_BOUNCE]).await, [0; 0]);

    assert_eq!(notice["status"], "complained");
    assert_eq!(stack.notice().await, notice);
}

#[tokio::test]
async fn an_event_of_an_unknown_notice_creates_none() {
    let stack = TestStack::start().await;
    let unknown = SEND.replace("MDA4MDJLRVNU", "MDA4MDJLRVNV");

    assert_eq!(stack.run(&[&unknown]).await, [0; 0]);

    let notices = stack.aws.items(&stack.tables.notices_table).await;
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0]["status"], "sent");
}

#[tokio::test]
async fn an_unreadable_contact_keeps_only_its_own_message() {
    let stack = TestStack::start().await;
    let unreadable = json!({ "address_hash": MARISOL, "mails": "many" });
    stack
        .aws
        .put_item(&stack.tables.contacts_table, unreadable)
        .await;

    assert_eq!(stack.run(&[SOFT_BOUNCE, DELIVERY]).await, [0]);
}

#[tokio::test]
async fn an_unreadable_message_becomes_a_dead_letter_among_good_ones() {
    let stack = TestStack::start().await;

    let returned = stack.run(&["marisol@kestrel.example", DELIVERY]).await;

    assert_eq!(returned, [0; 0]);
    assert_eq!(stack.notice().await["status"], "delivered");
    let dead_letters = stack.aws.drain_queue(&stack.dead_letters).await;
    assert_eq!(dead_letters.len(), 1);
    assert!(!dead_letters[0].contains("marisol"), "{dead_letters:?}");
}

#[tokio::test]
async fn no_event_is_started_near_the_deadline() {
    let stack = TestStack::start().await;

    let returned = handle(
        &stack.recorder(),
        &[BOUNCE, DELIVERY],
        Duration::from_secs(4),
    )
    .await;

    assert_eq!(returned.unwrap(), [0, 1]);
    assert_eq!(stack.notice().await["status"], "sent");
}

#[tokio::test]
async fn a_missing_secret_fails_the_batch() {
    let stack = TestStack::start().await;
    let config = Config {
        address_key_secret: "no-such-secret".to_owned(),
        ..stack.config()
    };

    let recorder = Recorder::new(config, &stack.aws.config);
    let failure = handle(&recorder, &[BOUNCE], PLENTY_OF_TIME).await;

    assert_eq!(failure.unwrap_err().error_type, ErrorType::SecretMissing);
}

struct TestStack {
    aws: LocalAws,
    tables: TableNames,
    address_key: String,
    dead_letters: String,
}

impl TestStack {
    /// Tables with the notice of the samples, which was sent.
    async fn start() -> Self {
        let aws = LocalAws::connect();
        let stack = Self {
            tables: aws.create_tables().await,
            address_key: aws.create_secret("address-key", "a key for tests").await,
            dead_letters: aws.create_queue("dead-letters").await,
            aws,
        };

        let notice = json!({
            "organization_id": "00802KESTRELBAKEm7q2",
            "notice": format!("2026-11-16T09:00:00Z#verify-bank-1#{MARISOL}"),
            "status": "sent",
            "updated_at": "2026-11-23T09:00:02Z",
        });
        stack
            .aws
            .put_item(&stack.tables.notices_table, notice)
            .await;
        stack
    }

    fn config(&self) -> Config {
        Config {
            tables: self.tables.clone(),
            address_key_secret: self.address_key.clone(),
            feedback_dead_letter_queue_url: self.dead_letters.clone(),
            environment: "local".to_owned(),
        }
    }

    fn recorder(&self) -> Recorder {
        Recorder::new(self.config(), &self.aws.config)
    }

    /// Handles a batch, which must not fail, and returns the numbers of the returned messages.
    async fn run(&self, bodies: &[&str]) -> Vec<usize> {
        handle(&self.recorder(), bodies, PLENTY_OF_TIME)
            .await
            .unwrap()
    }

    async fn notice(&self) -> Value {
        self.aws.items(&self.tables.notices_table).await.remove(0)
    }

    async fn contact(&self) -> Value {
        self.aws.items(&self.tables.contacts_table).await.remove(0)
    }
}

async fn handle(
    recorder: &Recorder,
    bodies: &[&str],
    time: Duration,
) -> Result<Vec<usize>, Failure> {
    let record =
        |(number, body): (usize, &&str)| json!({ "messageId": number.to_string(), "body": body });
    let records: Vec<Value> = bodies.iter().enumerate().map(record).collect();
    let event: SqsEvent = serde_json::from_value(json!({ "Records": records })).unwrap();
    let metrics = Metrics::to_writer("record-feedback", "local", sink());
    let invocation = Invocation::new("batch".to_owned(), Deadline::after(time), metrics);

    let response = recorder.handle(event, &invocation).await?;

    let failures = response.batch_item_failures.iter();
    Ok(failures
        .map(|failure| failure.item_identifier.parse().unwrap())
        .collect())
}
