//! Notifications about changes, as a subscriber receives them.

use std::collections::BTreeSet;

use rstest::rstest;
use sandbox::{
    BankAccount, EventSwitches, NotificationFormat, OrganizationPatch, PaymentSeries, Verification,
};
use serde_json::{Value, json};

use crate::{
    contract::Contract,
    support::{
        Partner, SubscribedPartner, Subscriber, event_types, new_idempotency_key,
        organization_with_payments, start_time, subscribed_partner, subscription_request,
    },
};

#[tokio::test]
async fn verifying_a_bank_account_changes_the_stage_and_notifies_the_subscriber() {
    let SubscribedPartner {
        partner,
        subscriber,
        id,
        key,
    } = subscribed_partner(EventSwitches::default()).await;
    let stage = || {
        partner
            .sandbox
            .expectations(start_time())
            .into_iter()
            .find(|row| row.organization_id.as_deref() == Some("008A"))
            .unwrap()
            .expected_stage
    };
    let path = partner.url_for("/_sandbox/organizations/008A/verify-bank-account");

    assert_eq!(stage().as_deref(), Some("bank_unverified"));
    assert_eq!(partner.http.post(&path).send().await.unwrap().status(), 204);
    assert_eq!(stage().as_deref(), Some("awaiting_first_payment"));
    assert_eq!(
        partner.http.post(&path).send().await.unwrap().status(),
        404,
        "all bank accounts are verified"
    );

    partner.sandbox.wait_for_deliveries().await;
    let notifications = subscriber.verified_bodies(&key);
    assert_eq!(event_types(&notifications), ["bank-account.updated"]);
    assert_eq!(notifications[0]["metadata"]["organizationId"], "008A");
    assert_eq!(notifications[0]["metadata"]["subscriptionId"], id.as_str());
    let account = &notifications[0]["bank-account"];
    assert_eq!(
        (&account["status"], &account["archived"]),
        (&json!("VERIFIED"), &json!(false))
    );

    let session = partner.sign_in("008A").await;
    let accounts = partner
        .get_with_session(&session, "/v3/funding-accounts/banks")
        .await;
    assert_eq!(accounts.body["results"][0]["status"], "VERIFIED");
}

#[tokio::test]
async fn each_change_sends_the_event_defined_by_the_contract() {
    let SubscribedPartner {
        partner,
        subscriber,
        key,
        ..
    } = subscribed_partner(EventSwitches::default()).await;
    let known = partner.sandbox.organization("008A").unwrap().bank_accounts;
    let new = vec![BankAccount::new("PENDING", start_time())];
    let patch = OrganizationPatch {
        bank_accounts: Some([known, new].concat()),
        add_payments: vec![PaymentSeries::with_status("SCHEDULED", start_time()).repeated(2, 60)],
        verification: Some(Verification::new("APPROVE")),
        ..OrganizationPatch::default()
    };
    let name_only = OrganizationPatch {
        name: Some("Another".to_owned()),
        ..OrganizationPatch::default()
    };
    let failed = json!({ "organization_id": "008A", "type": "payment.failed" });

    assert!(partner.sandbox.patch_organization("008A", patch));
    assert!(partner.sandbox.patch_organization("008A", name_only));
    let response = partner
        .http
        .post(partner.url_for("/_sandbox/events"))
        .json(&failed)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 204);
    partner.sandbox.wait_for_deliveries().await;

    let notifications = subscriber.verified_bodies(&key);
    let mut received = event_types(&notifications);
    received.sort_unstable();
    assert_eq!(
        received,
        [
            "bank-account.created",
            "payment.failed",
            "payment.updated",
            "payment.updated",
            "risk-verification.updated"
        ]
    );
    let ids = event_ids(&notifications);
    assert_eq!(ids.len(), 5);
    assert!(ids.iter().all(|id| uuid::Uuid::try_parse(id).is_ok()));
    let contract = Contract::read();
    for notification in &notifications {
        check_against_contract(&contract, notification);
    }
}

#[tokio::test]
async fn only_subscribed_event_types_are_delivered() {
    let partner = Partner::with_organizations(1).await;
    partner
        .sandbox
        .put_organization(organization_with_payments("008A", Vec::new()));
    let (subscriber, url) = Subscriber::start().await;
    let request = subscription_request(&url, &["payment.updated"]);
    let created = partner
        .subscribe(&new_idempotency_key(), request)
        .await
        .body;
    let disabled = json!({
        "status": { "enabled": false },
        "name": "Off",
        "events": [{ "type": "payment.updated", "version": "1" }],
        "notificationUrl": format!("{url}?off"),
    });
    let response = partner.subscribe(&new_idempotency_key(), disabled).await;
    assert_eq!(response.status, 200);

    let patch = OrganizationPatch {
        verification: Some(Verification::new("HOLD")),
        add_payments: vec![PaymentSeries::paid(start_time())],
        ..OrganizationPatch::default()
    };
    partner.sandbox.patch_organization("008A", patch);
    partner.sandbox.wait_for_deliveries().await;

    let key = created["securityKey"].as_str().unwrap();
    assert_eq!(
        event_types(&subscriber.verified_bodies(key)),
        ["payment.updated"]
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
    } = subscribed_partner(switches).await;
    let patch = OrganizationPatch {
        add_payments: vec![PaymentSeries::paid(start_time()).repeated(10, 60)],
        ..OrganizationPatch::default()
    };

    partner.sandbox.patch_organization("008A", patch);
    partner.sandbox.wait_for_deliveries().await;

    let notifications = subscriber.verified_bodies(&key);
    let ids = event_ids(&notifications);
    assert_eq!((notifications.len(), ids.len()), (20, 10));
}

#[rstest]
#[case(NotificationFormat::JsonString)]
#[case(NotificationFormat::EventDto)]
#[tokio::test]
async fn notification_body_uses_the_configured_format(#[case] format: NotificationFormat) {
    let switches = EventSwitches {
        format,
        ..EventSwitches::default()
    };
    let SubscribedPartner {
        partner,
        subscriber,
        id,
        key,
    } = subscribed_partner(switches).await;

    assert!(partner.sandbox.verify_bank_account("008A"));
    partner.sandbox.wait_for_deliveries().await;

    let body = subscriber.verified_bodies(&key).remove(0);
    let text = if format == NotificationFormat::JsonString {
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
    } = subscribed_partner(EventSwitches::default()).await;
    let path = format!("/v3/subscriptions/{id}/test");
    let headers = partner.partner_headers();

    let response = partner.post(&path, &headers, json!({})).await;
    assert_eq!(
        (response.status, &response.body["statusCode"]),
        (200, &json!(200))
    );
    assert_eq!(response.body["type"], "bank-account.created");

    subscriber.respond_with(&[503]);
    let request = json!({
        "eventType": "risk-verification.updated",
        "risk-verification": { "decision": "HOLD" },
    });
    let response = partner.post(&path, &headers, request).await;
    assert_eq!(
        (response.status, &response.body["statusCode"]),
        (200, &json!(503))
    );

    let notifications = subscriber.verified_bodies(&key);
    assert_eq!(notifications.len(), 2);
    assert_eq!(notifications[1]["risk-verification"]["decision"], "HOLD");
    assert_eq!(
        notifications[1].to_string(),
        response.body["payload"].as_str().unwrap()
    );
}

fn event_ids(notifications: &[Value]) -> BTreeSet<&str> {
    notifications
        .iter()
        .map(|notification| notification["metadata"]["eventId"].as_str().unwrap())
        .collect()
}

fn check_against_contract(contract: &Contract, notification: &Value) {
    let metadata = &notification["metadata"];
    contract.check_notification("NotificationMetadata", metadata);

    let (schema, subject) = match metadata["eventType"].as_str().unwrap() {
        "payment.failed" => ("PaymentFailedPayload", "payment"),
        "payment.updated" => ("PaymentPayloadV1", "payment"),
        "risk-verification.updated" => ("RiskVerificationPayloadV1", "risk-verification"),
        _ => ("BankAccountPayloadV1", "bank-account"),
    };
    contract.check_notification(schema, &notification[subject]);
}
