//! Notifications, as a subscriber gets them.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

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
use rstest::rstest;
use sandbox::{
    Bank, Change, EventSwitches, ManualEvent, NotificationFormat, Payments, Switches, Verification,
};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    contract::Contract,
    subscriptions::{key, wanted},
    support::{Partner, days_before_start, organization_with_payments, start},
};

const ALL: [&str; 5] = [
    "bank-account.created",
    "bank-account.updated",
    "payment.updated",
    "payment.failed",
    "risk-verification.updated",
];

/// Takes notifications, and answers as it is told to; 200 when nothing is left of what it was told.
#[derive(Clone, Default)]
struct Subscriber {
    received: Arc<Mutex<Vec<(String, Bytes)>>>,
    statuses: Arc<Mutex<VecDeque<u16>>>,
}

impl Subscriber {
    async fn start() -> (Self, String) {
        let this = Self::default();
        let router = Router::new()
            .route("/bill", post(receive))
            .with_state(this.clone());
        (this, test_support::serve(router).await + "/bill")
    }

    fn answers(&self, statuses: &[u16]) {
        self.statuses.lock().extend(statuses);
    }

    /// The bodies received, each of which this key has signed.
    fn verified_bodies(&self, key: &str) -> Vec<Value> {
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

struct SubscribedPartner {
    partner: Partner,
    subscriber: Subscriber,
    id: String,
    key: String,
}

/// A partner with one customer, `008A`, who is subscribed to everything.
async fn subscribed(events: EventSwitches) -> SubscribedPartner {
    let partner = Partner::with_switches(Switches {
        events,
        ..Switches::default()
    })
    .await;
    let pending = Bank::new("PENDING", days_before_start(2)).archived();
    partner.sandbox.put_organization(sandbox::Organization {
        banks: vec![pending],
        ..organization_with_payments("008A", Vec::new())
    });
    let (subscriber, url) = Subscriber::start().await;
    let created = partner.subscribe(&key(), wanted(&url, &ALL)).await.body;
    let text = |field: &str| created[field].as_str().unwrap().to_owned();
    SubscribedPartner {
        id: text("id"),
        key: text("securityKey"),
        partner,
        subscriber,
    }
}

fn types(notifications: &[Value]) -> Vec<&str> {
    notifications
        .iter()
        .map(|notification| notification["metadata"]["eventType"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn verifying_a_bank_account_changes_the_stage_and_notifies_the_subscriber() {
    let SubscribedPartner {
        partner,
        subscriber,
        id,
        key,
    } = subscribed(EventSwitches::default()).await;
    let stage = || {
        let population = partner.sandbox.population(start());
        population
            .into_iter()
            .find(|row| row.organization_id.as_deref() == Some("008A"))
            .unwrap()
            .expected_stage
    };
    assert_eq!(stage().as_deref(), Some("bank_unverified"));
    let path = partner.address("/_sandbox/organizations/008A/verify-bank-account");
    assert_eq!(partner.http.post(&path).send().await.unwrap().status(), 204);
    assert_eq!(stage().as_deref(), Some("awaiting_first_payment"));
    assert_eq!(
        partner.http.post(&path).send().await.unwrap().status(),
        404,
        "nothing is left to verify"
    );

    partner.sandbox.wait_for_deliveries().await;
    let notifications = subscriber.verified_bodies(&key);
    assert_eq!(types(&notifications), ["bank-account.updated"]);
    assert_eq!(notifications[0]["metadata"]["organizationId"], "008A");
    assert_eq!(notifications[0]["metadata"]["subscriptionId"], id.as_str());
    let bank = &notifications[0]["bank-account"];
    assert_eq!(
        (&bank["status"], &bank["archived"]),
        (&json!("VERIFIED"), &json!(false))
    );
    let session = partner.sign_in("008A").await;
    assert_eq!(
        partner
            .get_with_session(&session, "/v3/funding-accounts/banks")
            .await
            .body["results"][0]["status"],
        "VERIFIED"
    );
}

#[tokio::test]
async fn each_change_sends_the_event_defined_by_the_contract() {
    let SubscribedPartner {
        partner,
        subscriber,
        key,
        ..
    } = subscribed(EventSwitches::default()).await;
    let known = partner.sandbox.organization("008A").unwrap().banks;
    let change = Change {
        banks: Some([known, vec![Bank::new("PENDING", start())]].concat()),
        add_payments: vec![Payments::with_status("SCHEDULED", start()).repeated(2, 60)],
        verification: Some(Verification::new("APPROVE")),
        ..Change::default()
    };
    assert!(partner.sandbox.patch_organization("008A", change));
    assert!(partner.sandbox.patch_organization(
        "008A",
        Change {
            name: Some("Another".to_owned()),
            ..Change::default()
        }
    ));
    let failed = json!({ "organization_id": "008A", "type": "payment.failed" });
    assert_eq!(
        partner
            .http
            .post(partner.address("/_sandbox/events"))
            .json(&failed)
            .send()
            .await
            .unwrap()
            .status(),
        204
    );
    partner.sandbox.wait_for_deliveries().await;

    let notifications = subscriber.verified_bodies(&key);
    let mut told = types(&notifications);
    told.sort_unstable();
    assert_eq!(
        told,
        [
            "bank-account.created",
            "payment.failed",
            "payment.updated",
            "payment.updated",
            "risk-verification.updated"
        ]
    );
    let ids: BTreeSet<_> = notifications
        .iter()
        .map(|notification| notification["metadata"]["eventId"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 5);
    assert!(ids.iter().all(|id| uuid::Uuid::try_parse(id).is_ok()));
    let contract = Contract::read();
    for notification in &notifications {
        contract.check_notification("NotificationMetadata", &notification["metadata"]);
        match notification["metadata"]["eventType"].as_str().unwrap() {
            "payment.failed" => {
                contract.check_notification("PaymentFailedPayload", &notification["payment"]);
            }
            "payment.updated" => {
                contract.check_notification("PaymentPayloadV1", &notification["payment"]);
            }
            "risk-verification.updated" => contract.check_notification(
                "RiskVerificationPayloadV1",
                &notification["risk-verification"],
            ),
            _ => contract.check_notification("BankAccountPayloadV1", &notification["bank-account"]),
        }
    }
}

#[tokio::test]
async fn only_subscribed_event_types_are_delivered() {
    let partner = Partner::of(1).await;
    partner
        .sandbox
        .put_organization(organization_with_payments("008A", Vec::new()));
    let (subscriber, url) = Subscriber::start().await;
    let created = partner
        .subscribe(&key(), wanted(&url, &["payment.updated"]))
        .await
        .body;
    let disabled = json!({ "status": { "enabled": false }, "name": "Off", "events": [{ "type": "payment.updated", "version": "1" }],
        "notificationUrl": format!("{url}?off") });
    assert_eq!(partner.subscribe(&key(), disabled).await.status, 200);
    let change = Change {
        verification: Some(Verification::new("HOLD")),
        add_payments: vec![Payments::paid(start())],
        ..Change::default()
    };
    partner.sandbox.patch_organization("008A", change);
    partner.sandbox.wait_for_deliveries().await;
    assert_eq!(
        types(&subscriber.verified_bodies(created["securityKey"].as_str().unwrap())),
        ["payment.updated"]
    );
}

#[tokio::test]
async fn failed_delivery_is_retried_with_the_same_event_id() {
    let switches = EventSwitches {
        initial_backoff_ms: 1,
        ..EventSwitches::default()
    };
    let SubscribedPartner {
        partner,
        subscriber,
        id,
        key,
    } = subscribed(switches).await;
    subscriber.answers(&[503, 202]);
    assert!(partner.sandbox.verify_bank_account("008A"));
    partner.sandbox.wait_for_deliveries().await;
    let notifications = subscriber.verified_bodies(&key);
    assert_eq!(notifications.len(), 3);
    assert!(
        notifications
            .iter()
            .all(|notification| *notification == notifications[0])
    );
    let log: Vec<_> = partner
        .sandbox
        .deliveries()
        .iter()
        .map(|delivery| (delivery.attempt, delivery.status))
        .collect();
    assert_eq!(log, [(1, Some(503)), (2, Some(202)), (3, Some(200))]);
    let told: Value = partner
        .http
        .get(partner.address("/_sandbox/deliveries"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(told, json!(partner.sandbox.deliveries()));
    assert_eq!(
        partner.get(&format!("/v3/subscriptions/{id}")).await.body["status"]["enabled"],
        true
    );
}

#[tokio::test]
async fn subscription_is_disabled_by_the_system_after_max_attempts() {
    let switches = EventSwitches {
        initial_backoff_ms: 1,
        attempts: 2,
        ..EventSwitches::default()
    };
    let SubscribedPartner {
        partner,
        subscriber,
        id,
        ..
    } = subscribed(switches).await;
    subscriber.answers(&[500; 2]);
    assert!(partner.sandbox.verify_bank_account("008A"));
    partner.sandbox.wait_for_deliveries().await;
    let status = partner.get(&format!("/v3/subscriptions/{id}")).await.body["status"].clone();
    assert_eq!(
        (&status["enabled"], &status["actor"]),
        (&json!(false), &json!("SYSTEM"))
    );
    assert!(status["reason"].is_string());

    assert!(partner.sandbox.announce(&ManualEvent {
        organization_id: "008A".to_owned(),
        event_type: "payment.failed".to_owned()
    }));
    partner.sandbox.wait_for_deliveries().await;
    assert_eq!(subscriber.received.lock().len(), 2);
}

#[tokio::test]
async fn subscription_of_an_unreachable_subscriber_is_disabled() {
    let switches = EventSwitches {
        initial_backoff_ms: 1,
        attempts: 2,
        ..EventSwitches::default()
    };
    let partner = Partner::with_switches(Switches {
        events: switches,
        ..Switches::default()
    })
    .await;
    partner.sandbox.put_organization(organization_with_payments(
        "008A",
        vec![Payments::paid(start())],
    ));
    partner
        .subscribe(
            &key(),
            wanted("http://127.0.0.1:1/bill", &["payment.updated"]),
        )
        .await;
    assert!(partner.sandbox.announce(&ManualEvent {
        organization_id: "008A".to_owned(),
        event_type: "payment.updated".to_owned()
    }));
    partner.sandbox.wait_for_deliveries().await;
    assert!(
        partner
            .sandbox
            .deliveries()
            .iter()
            .all(|delivery| delivery.status.is_none())
    );
    assert_eq!(
        partner.get("/v3/subscriptions").await.body["results"][0]["status"]["enabled"],
        false
    );
}

#[tokio::test]
async fn notifications_can_be_duplicated_and_reordered() {
    let switches = EventSwitches {
        deliver_twice: true,
        max_jitter_ms: 20,
        ..EventSwitches::default()
    };
    let SubscribedPartner {
        partner,
        subscriber,
        key,
        ..
    } = subscribed(switches).await;
    let change = Change {
        add_payments: vec![Payments::paid(start()).repeated(10, 60)],
        ..Change::default()
    };
    partner.sandbox.patch_organization("008A", change);
    partner.sandbox.wait_for_deliveries().await;
    let notifications = subscriber.verified_bodies(&key);
    let ids: BTreeSet<_> = notifications
        .iter()
        .map(|notification| notification["metadata"]["eventId"].as_str().unwrap())
        .collect();
    assert_eq!((notifications.len(), ids.len()), (20, 10));
}

#[rstest]
#[case(NotificationFormat::Text)]
#[case(NotificationFormat::Envelope)]
#[tokio::test]
async fn notification_body_uses_the_configured_format(#[case] form: NotificationFormat) {
    let SubscribedPartner {
        partner,
        subscriber,
        id,
        key,
    } = subscribed(EventSwitches {
        form,
        ..EventSwitches::default()
    })
    .await;
    assert!(partner.sandbox.verify_bank_account("008A"));
    partner.sandbox.wait_for_deliveries().await;
    let body = subscriber.verified_bodies(&key).remove(0);
    let text = if form == NotificationFormat::Text {
        &body
    } else {
        &body["payload"]
    };
    let notification: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
    assert_eq!(notification["metadata"]["subscriptionId"], id.as_str());
}

#[tokio::test]
async fn test_event_returns_the_subscribers_status_code() {
    let SubscribedPartner {
        partner,
        subscriber,
        id,
        key,
    } = subscribed(EventSwitches::default()).await;
    let test = async |body: Value| {
        partner
            .post(
                &format!("/v3/subscriptions/{id}/test"),
                &partner.partner_headers(),
                body,
            )
            .await
    };
    let answer = test(json!({})).await;
    assert_eq!(
        (answer.status, &answer.body["statusCode"]),
        (200, &json!(200))
    );
    assert_eq!(answer.body["type"], "bank-account.created");
    subscriber.answers(&[503]);
    let answer = test(json!({ "eventType": "risk-verification.updated", "risk-verification": { "decision": "HOLD" } })).await;
    assert_eq!(
        (answer.status, &answer.body["statusCode"]),
        (200, &json!(503))
    );
    let notifications = subscriber.verified_bodies(&key);
    assert_eq!(notifications.len(), 2);
    assert_eq!(notifications[1]["risk-verification"]["decision"], "HOLD");
    assert_eq!(
        notifications[1].to_string(),
        answer.body["payload"].as_str().unwrap()
    );
}

async fn receive(State(this): State<Subscriber>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers["x-bill-sha-signature"].to_str().unwrap().to_owned();
    this.received.lock().push((signature, body));
    let status = this.statuses.lock().pop_front().unwrap_or(200);
    StatusCode::from_u16(status).unwrap()
}
