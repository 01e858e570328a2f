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
    Announcement, Bank, Change, EventSwitches, NotificationForm, Payments, Switches, Verification,
};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    contract::Contract,
    subscriptions::{key, wanted},
    support::{Partner, days_before, payer, start},
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
    fn signed_by(&self, key: &str) -> Vec<Value> {
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

struct Subscribed {
    partner: Partner,
    subscriber: Subscriber,
    id: String,
    key: String,
}

/// A partner with one customer, `008A`, who is subscribed to everything.
async fn subscribed(events: EventSwitches) -> Subscribed {
    let partner = Partner::with_switches(Switches {
        events,
        ..Switches::default()
    })
    .await;
    let pending = Bank::new("PENDING", days_before(2)).archived();
    partner.sandbox.put_organization(sandbox::Organization {
        banks: vec![pending],
        ..payer("008A", Vec::new())
    });
    let (subscriber, url) = Subscriber::start().await;
    let created = partner.subscribe(&key(), wanted(&url, &ALL)).await.body;
    let text = |field: &str| created[field].as_str().unwrap().to_owned();
    Subscribed {
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
async fn verifying_a_bank_account_changes_the_stage_and_tells_the_subscriber() {
    let Subscribed {
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

    partner.sandbox.deliveries_ended().await;
    let notifications = subscriber.signed_by(&key);
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
            .get_as(&session, "/v3/funding-accounts/banks")
            .await
            .body["results"][0]["status"],
        "VERIFIED"
    );
}

#[tokio::test]
async fn each_change_has_its_event_as_the_contract_has_it() {
    let Subscribed {
        partner,
        subscriber,
        key,
        ..
    } = subscribed(EventSwitches::default()).await;
    let known = partner.sandbox.organization("008A").unwrap().banks;
    let change = Change {
        banks: Some([known, vec![Bank::new("PENDING", start())]].concat()),
        add_payments: vec![Payments::of_status("SCHEDULED", start()).repeated(2, 60)],
        verification: Some(Verification::new("APPROVE")),
        ..Change::default()
    };
    assert!(partner.sandbox.change_organization("008A", change));
    assert!(partner.sandbox.change_organization(
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
    partner.sandbox.deliveries_ended().await;

    let notifications = subscriber.signed_by(&key);
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
async fn only_the_events_asked_for_are_sent() {
    let partner = Partner::of(1).await;
    partner.sandbox.put_organization(payer("008A", Vec::new()));
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
    partner.sandbox.change_organization("008A", change);
    partner.sandbox.deliveries_ended().await;
    assert_eq!(
        types(&subscriber.signed_by(created["securityKey"].as_str().unwrap())),
        ["payment.updated"]
    );
}

#[tokio::test]
async fn a_failed_delivery_is_repeated_with_the_same_event() {
    let switches = EventSwitches {
        first_retry_ms: 1,
        ..EventSwitches::default()
    };
    let Subscribed {
        partner,
        subscriber,
        id,
        key,
    } = subscribed(switches).await;
    subscriber.answers(&[503, 202]);
    assert!(partner.sandbox.verify_bank_account("008A"));
    partner.sandbox.deliveries_ended().await;
    let notifications = subscriber.signed_by(&key);
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
async fn a_subscription_that_keeps_failing_is_switched_off_by_the_system() {
    let switches = EventSwitches {
        first_retry_ms: 1,
        attempts: 2,
        ..EventSwitches::default()
    };
    let Subscribed {
        partner,
        subscriber,
        id,
        ..
    } = subscribed(switches).await;
    subscriber.answers(&[500; 2]);
    assert!(partner.sandbox.verify_bank_account("008A"));
    partner.sandbox.deliveries_ended().await;
    let status = partner.get(&format!("/v3/subscriptions/{id}")).await.body["status"].clone();
    assert_eq!(
        (&status["enabled"], &status["actor"]),
        (&json!(false), &json!("SYSTEM"))
    );
    assert!(status["reason"].is_string());

    assert!(partner.sandbox.announce(&Announcement {
        organization_id: "008A".to_owned(),
        event_type: "payment.failed".to_owned()
    }));
    partner.sandbox.deliveries_ended().await;
    assert_eq!(subscriber.received.lock().len(), 2);
}

#[tokio::test]
async fn a_subscriber_that_is_not_there_is_given_up() {
    let switches = EventSwitches {
        first_retry_ms: 1,
        attempts: 2,
        ..EventSwitches::default()
    };
    let partner = Partner::with_switches(Switches {
        events: switches,
        ..Switches::default()
    })
    .await;
    partner
        .sandbox
        .put_organization(payer("008A", vec![Payments::paid(start())]));
    partner
        .subscribe(
            &key(),
            wanted("http://127.0.0.1:1/bill", &["payment.updated"]),
        )
        .await;
    assert!(partner.sandbox.announce(&Announcement {
        organization_id: "008A".to_owned(),
        event_type: "payment.updated".to_owned()
    }));
    partner.sandbox.deliveries_ended().await;
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
async fn notifications_may_come_twice_and_late() {
    let switches = EventSwitches {
        deliver_twice: true,
        shuffled_within_ms: 20,
        ..EventSwitches::default()
    };
    let Subscribed {
        partner,
        subscriber,
        key,
        ..
    } = subscribed(switches).await;
    let change = Change {
        add_payments: vec![Payments::paid(start()).repeated(10, 60)],
        ..Change::default()
    };
    partner.sandbox.change_organization("008A", change);
    partner.sandbox.deliveries_ended().await;
    let notifications = subscriber.signed_by(&key);
    let ids: BTreeSet<_> = notifications
        .iter()
        .map(|notification| notification["metadata"]["eventId"].as_str().unwrap())
        .collect();
    assert_eq!((notifications.len(), ids.len()), (20, 10));
}

#[rstest]
#[case(NotificationForm::Text)]
#[case(NotificationForm::Envelope)]
#[tokio::test]
async fn the_body_takes_the_form_of_the_switch(#[case] form: NotificationForm) {
    let Subscribed {
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
    partner.sandbox.deliveries_ended().await;
    let body = subscriber.signed_by(&key).remove(0);
    let text = if form == NotificationForm::Text {
        &body
    } else {
        &body["payload"]
    };
    let notification: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
    assert_eq!(notification["metadata"]["subscriptionId"], id.as_str());
}

#[tokio::test]
async fn a_test_event_tells_how_the_subscriber_answered() {
    let Subscribed {
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
    let notifications = subscriber.signed_by(&key);
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
