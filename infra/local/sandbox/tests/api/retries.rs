//! Failed deliveries: retries, and the subscriptions that they disable.

use sandbox::{EventSwitches, ManualEvent, PaymentSeries, Switches};
use serde_json::{Value, json};

use crate::support::{
    Partner, SubscribedPartner, new_idempotency_key, organization_with_payments, start_time,
    subscribed_partner, subscription_request,
};

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
    } = subscribed_partner(switches).await;
    subscriber.respond_with(&[503, 202]);

    assert!(partner.sandbox.verify_bank_account("008A"));
    partner.sandbox.wait_for_deliveries().await;

    let notifications = subscriber.verified_bodies(&key);
    assert_eq!(notifications.len(), 3);
    assert!(
        notifications
            .iter()
            .all(|notification| *notification == notifications[0])
    );
    let attempts: Vec<_> = partner
        .sandbox
        .deliveries()
        .iter()
        .map(|delivery| (delivery.attempt, delivery.status))
        .collect();
    assert_eq!(attempts, [(1, Some(503)), (2, Some(202)), (3, Some(200))]);
    let reported: Value = partner
        .http
        .get(partner.url_for("/_sandbox/deliveries"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(reported, json!(partner.sandbox.deliveries()));
    let subscription = partner.get(&format!("/v3/subscriptions/{id}")).await.body;
    assert_eq!(subscription["status"]["enabled"], true);
}

#[tokio::test]
async fn subscription_is_disabled_by_the_system_after_max_attempts() {
    let SubscribedPartner {
        partner,
        subscriber,
        id,
        ..
    } = subscribed_partner(two_attempts()).await;
    subscriber.respond_with(&[500; 2]);

    assert!(partner.sandbox.verify_bank_account("008A"));
    partner.sandbox.wait_for_deliveries().await;

    let status = partner.get(&format!("/v3/subscriptions/{id}")).await.body["status"].clone();
    assert_eq!(
        (&status["enabled"], &status["actor"]),
        (&json!(false), &json!("SYSTEM"))
    );
    assert!(status["reason"].is_string());

    assert!(partner.sandbox.publish_event(&ManualEvent {
        organization_id: "008A".to_owned(),
        event_type: "payment.failed".to_owned()
    }));
    partner.sandbox.wait_for_deliveries().await;
    assert_eq!(subscriber.received_count(), 2);
}

#[tokio::test]
async fn subscription_of_an_unreachable_subscriber_is_disabled() {
    let partner = Partner::with_switches(Switches {
        events: two_attempts(),
        ..Switches::default()
    })
    .await;
    let payments = vec![PaymentSeries::paid(start_time())];
    partner
        .sandbox
        .put_organization(organization_with_payments("008A", payments));
    let request = subscription_request("http://127.0.0.1:1/bill", &["payment.updated"]);
    partner.subscribe(&new_idempotency_key(), request).await;

    assert!(partner.sandbox.publish_event(&ManualEvent {
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
    let subscriptions = partner.get("/v3/subscriptions").await;
    assert_eq!(subscriptions.rows()[0]["status"]["enabled"], false);
}

fn two_attempts() -> EventSwitches {
    EventSwitches {
        initial_backoff_ms: 1,
        max_attempts: 2,
        ..EventSwitches::default()
    }
}
