//! A subscriber's HTTP server, and a partner that is subscribed with it.

use std::{collections::VecDeque, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use parking_lot::Mutex;
use sandbox::{BankAccount, EventSwitches, Organization, Switches};
use serde_json::Value;
use sha2::Sha256;

use super::{
    fixtures::{
        days_before_start, new_idempotency_key, organization_with_payments, subscription_request,
    },
    partner::Partner,
};

const ALL_EVENT_TYPES: [&str; 5] = [
    "bank-account.created",
    "bank-account.updated",
    "payment.updated",
    "payment.failed",
    "risk-verification.updated",
];

pub struct SubscribedPartner {
    pub partner: Partner,
    pub subscriber: Subscriber,
    /// The id of the subscription.
    pub id: String,
    /// The security key of the subscription.
    pub key: String,
}

/// A partner that is subscribed to all events. Its customer `008A` has an archived bank account
/// with the status `PENDING`.
pub async fn subscribed_partner(events: EventSwitches) -> SubscribedPartner {
    let partner = Partner::with_switches(Switches {
        events,
        ..Switches::default()
    })
    .await;
    let pending = BankAccount::new("PENDING", days_before_start(2)).archived();
    partner.sandbox.put_organization(Organization {
        bank_accounts: vec![pending],
        ..organization_with_payments("008A", Vec::new())
    });

    let (subscriber, url) = Subscriber::start().await;
    let request = subscription_request(&url, &ALL_EVENT_TYPES);
    let created = partner
        .subscribe(&new_idempotency_key(), request)
        .await
        .body;
    let text = |field: &str| created[field].as_str().unwrap().to_owned();

    SubscribedPartner {
        id: text("id"),
        key: text("securityKey"),
        partner,
        subscriber,
    }
}

/// Receives notifications. Responds with the configured statuses in their order, then with 200.
#[derive(Clone, Default)]
pub struct Subscriber {
    received: Arc<Mutex<Vec<(String, Bytes)>>>,
    statuses: Arc<Mutex<VecDeque<u16>>>,
}

impl Subscriber {
    /// Returns the notification URL as well.
    pub async fn start() -> (Self, String) {
        let this = Self::default();
        let router = Router::new()
            .route("/bill", post(receive))
            .with_state(this.clone());
        let url = test_support::serve(router).await + "/bill";

        (this, url)
    }

    pub fn respond_with(&self, statuses: &[u16]) {
        self.statuses.lock().extend(statuses);
    }

    pub fn received_count(&self) -> usize {
        self.received.lock().len()
    }

    /// All received bodies. Fails the test if one is not signed with this key.
    pub fn verified_bodies(&self, key: &str) -> Vec<Value> {
        let received = self.received.lock();
        let verified = received.iter().map(|(signature, body)| {
            let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes())
                .unwrap()
                .chain_update(body);
            mac.verify_slice(&BASE64_STANDARD.decode(signature).unwrap())
                .unwrap();
            serde_json::from_slice(body).unwrap()
        });

        verified.collect()
    }
}

async fn receive(State(this): State<Subscriber>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers["x-bill-sha-signature"].to_str().unwrap().to_owned();
    this.received.lock().push((signature, body));
    let status = this.statuses.lock().pop_front().unwrap_or(200);

    StatusCode::from_u16(status).unwrap()
}

/// The types of the notifications' events.
pub fn event_types(notifications: &[Value]) -> Vec<&str> {
    notifications
        .iter()
        .map(|notification| notification["metadata"]["eventType"].as_str().unwrap())
        .collect()
}
