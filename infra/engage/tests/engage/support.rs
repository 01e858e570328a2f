//! The stack under test: the sandbox as BILL, a fake of Secrets Manager and a receiver of events.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use bill::{
    BillClient, Credentials,
    events::{
        EventType, Notification, SIGNATURE_HEADER, SecurityKeys, Subscription, SubscriptionId,
        SubscriptionsClient,
    },
};
use engage::{keys::KeyStore, webhooks::Webhooks};
use parking_lot::Mutex;
use sandbox::{EventSwitches, Fault, FaultKind, Options, Organization, Sandbox, Switches};
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use crate::fake_secrets_manager::{self, FakeSecretsManager};

pub const CUSTOMER: &str = "00802JUNIPERCYCL4xd9";

/// The services that the commands call, and the commands for a stack that uses them.
pub struct TestStack {
    pub sandbox: Sandbox,
    pub secrets: FakeSecretsManager,
    pub receiver: Receiver,
    pub webhooks: Webhooks,
    subscriptions: SubscriptionsClient,
}

impl TestStack {
    pub async fn start() -> Self {
        let sandbox = Sandbox::start(Options {
            switches: switches(),
            ..Options::default()
        })
        .await
        .unwrap();
        sandbox.put_organization(Organization {
            id: Some(CUSTOMER.to_owned()),
            ..Organization::default()
        });

        let (secrets, client) = FakeSecretsManager::start().await;
        let (receiver, api_url) = Receiver::start(secrets.clone()).await;

        let credentials = Credentials::from_json(&sandbox.credentials().to_json()).unwrap();
        let bill = BillClient::new(
            sandbox.url().parse().unwrap(),
            bill::http_client().unwrap(),
            Arc::new(credentials),
        );

        let keys = KeyStore::new(client, fake_secrets_manager::NAME.to_owned());
        let subscriptions = bill.subscriptions().unwrap();
        let webhooks = Webhooks::new(subscriptions.clone(), keys, &api_url).unwrap();

        Self {
            sandbox,
            secrets,
            receiver,
            webhooks,
            subscriptions,
        }
    }

    /// Creates a subscription of another system that uses the same application key.
    pub async fn create_foreign_subscription(&self, url: &str) -> SubscriptionId {
        let url: Url = url.parse().unwrap();
        let created = self
            .subscriptions
            .create(
                Uuid::new_v4(),
                "Another",
                &EventType::SUBSCRIBED,
                &url,
                call_deadline(),
            )
            .await;

        created.unwrap().subscription.id.unwrap()
    }

    /// Deletes a subscription at BILL, without `engage`.
    pub async fn delete_subscription(&self, id: &SubscriptionId) {
        assert!(
            self.subscriptions
                .delete(id, call_deadline())
                .await
                .unwrap()
        );
    }

    /// Publishes an event and waits until BILL has disabled every subscription whose receiver
    /// does not respond with 200.
    pub async fn publish_until_disabled(&self) {
        let events = EventSwitches {
            initial_backoff_ms: 1,
            max_attempts: 2,
            ..EventSwitches::default()
        };
        self.sandbox.set_switches(Switches {
            events,
            ..Switches::default()
        });

        self.publish_event();
        self.sandbox.wait_for_deliveries().await;
    }

    /// Makes every request to BILL take longer, so that events can be published during a command.
    pub fn add_latency(&self) {
        self.sandbox.set_switches(Switches {
            latency_ms: 20,
            ..switches()
        });
    }

    /// Asserts that there is one subscription, that it delivers and that no command is pending.
    /// Returns the subscription.
    pub async fn assert_single_working_subscription(&self) -> Subscription {
        let mut all = self.webhooks.list().await.unwrap();

        assert_eq!(all.len(), 1, "{all:?}");
        assert!(all[0].is_enabled(), "{all:?}");
        assert_eq!(
            self.webhooks.test(None).await.unwrap().status_code,
            Some(200)
        );
        assert!(
            self.secrets
                .json()
                .get("pending")
                .or(self.secrets.json().get("retiring"))
                .is_none(),
            "the secret holds the state of an interrupted command"
        );

        all.remove(0)
    }

    pub fn keys(&self) -> SecurityKeys {
        self.secrets.keys().unwrap()
    }

    /// Publishes an event of [`CUSTOMER`].
    pub fn publish_event(&self) {
        let event_type = "payment.failed".to_owned();
        assert!(self.sandbox.publish_event(&sandbox::ManualEvent {
            organization_id: CUSTOMER.to_owned(),
            event_type
        }));
    }

    /// Makes every call of an operation of BILL fail with status 403.
    pub fn fail_operation(&self, endpoint: &str) {
        let kind = FaultKind::Status {
            status: 403,
            code: None,
            retry_after: None,
        };
        self.sandbox.add_fault(Fault {
            endpoint: Some(endpoint.to_owned()),
            organization_id: None,
            kind,
            times: None,
        });
    }
}

fn switches() -> Switches {
    let events = EventSwitches {
        initial_backoff_ms: 20,
        max_attempts: 8,
        ..EventSwitches::default()
    };

    Switches {
        events,
        ..Switches::default()
    }
}

/// Accepts a delivery with 200 if the keys in the secret verify it, else rejects it with 401. Keeps
/// the ids of the accepted events.
#[derive(Clone)]
pub struct Receiver {
    secrets: FakeSecretsManager,
    accepted: Arc<Mutex<BTreeSet<String>>>,
}

impl Receiver {
    async fn start(secrets: FakeSecretsManager) -> (Self, String) {
        let receiver = Self {
            secrets,
            accepted: Arc::default(),
        };
        let router = axum::Router::new()
            .route("/bill/events", post(receive))
            .with_state(receiver.clone());

        (receiver, test_support::serve(router).await)
    }

    pub fn accepted(&self) -> BTreeSet<String> {
        self.accepted.lock().clone()
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers[SIGNATURE_HEADER].to_str().unwrap();
    if !receiver
        .secrets
        .keys()
        .is_some_and(|keys| keys.verify(&body, signature))
    {
        return StatusCode::UNAUTHORIZED;
    }

    receiver
        .accepted
        .lock()
        .insert(Notification::parse(&body).unwrap().event_id);
    StatusCode::OK
}

fn call_deadline() -> Instant {
    Instant::now() + Duration::from_mins(1)
}
