//! A stack as the commands see it.

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

use crate::secrets::{self, Secrets};

pub const CUSTOMER: &str = "00802JUNIPERCYCL4xd9";

/// BILL, the secret, and an API that takes notifications when the secret's keys verify them.
pub struct TestStack {
    pub sandbox: Sandbox,
    pub secrets: Secrets,
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
        let (secrets, client) = Secrets::start().await;
        let (receiver, api_url) = Receiver::start(secrets.clone()).await;
        let credentials = Credentials::from_json(&sandbox.credentials().to_json()).unwrap();
        let bill = BillClient::new(
            sandbox.url().parse().unwrap(),
            bill::http_client().unwrap(),
            Arc::new(credentials),
        );
        let keys = KeyStore::new(client, secrets::NAME.to_owned());
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

    /// Somebody else who uses the partner's application key subscribes.
    pub async fn create_foreign_subscription(&self, url: &str) -> SubscriptionId {
        let url: Url = url.parse().unwrap();
        let created = self
            .subscriptions
            .create(
                Uuid::new_v4(),
                "Another",
                &EventType::SUBSCRIBED,
                &url,
                soon(),
            )
            .await;
        created.unwrap().subscription.id.unwrap()
    }

    /// Somebody else ends a subscription.
    pub async fn end(&self, id: &SubscriptionId) {
        assert!(self.subscriptions.delete(id, soon()).await.unwrap());
    }

    /// Publishes events until BILL disables the subscription of a receiver that does not return 200.
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

    /// From now on BILL takes its time, so that things happen meanwhile.
    pub fn slow_down(&self) {
        self.sandbox.set_switches(Switches {
            latency_ms: 20,
            ..switches()
        });
    }

    /// The only subscription, which delivers.
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
            "nothing is left to be done"
        );
        all.remove(0)
    }

    pub fn keys(&self) -> SecurityKeys {
        self.secrets.keys().unwrap()
    }

    /// Something happens to the customer.
    pub fn publish_event(&self) {
        let event_type = "payment.failed".to_owned();
        assert!(self.sandbox.publish_event(&sandbox::ManualEvent {
            organization_id: CUSTOMER.to_owned(),
            event_type
        }));
    }

    /// Makes an operation of BILL fail for good.
    pub fn refuse(&self, endpoint: &str) {
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

/// Answers 200 to what the secret's keys verify, else 401; the ids of the events that it took.
#[derive(Clone)]
pub struct Receiver {
    secrets: Secrets,
    taken: Arc<Mutex<BTreeSet<String>>>,
}

impl Receiver {
    async fn start(secrets: Secrets) -> (Self, String) {
        let this = Self {
            secrets,
            taken: Arc::default(),
        };
        let router = axum::Router::new()
            .route("/bill/events", post(receive))
            .with_state(this.clone());
        (this, test_support::serve(router).await)
    }

    pub fn taken(&self) -> BTreeSet<String> {
        self.taken.lock().clone()
    }
}

async fn receive(State(this): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers[SIGNATURE_HEADER].to_str().unwrap();
    if !this
        .secrets
        .keys()
        .is_some_and(|keys| keys.verify(&body, signature))
    {
        return StatusCode::UNAUTHORIZED;
    }
    this.taken
        .lock()
        .insert(Notification::parse(&body).unwrap().event_id);
    StatusCode::OK
}

fn soon() -> Instant {
    Instant::now() + Duration::from_mins(1)
}
