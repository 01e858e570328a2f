//! The header `X-Idempotent-Key` of `createSubscription`.

use jiff::SignedDuration;
use rstest::rstest;
use sandbox::{EventSwitches, Fault, FaultKind, Switches};
use serde_json::Value;

use crate::support::{Partner, new_idempotency_key, subscription_request};

const NOTIFICATION_URL: &str = "https://hooks.northlight-ledger.example/bill";

fn single_event_request() -> Value {
    subscription_request(NOTIFICATION_URL, &["payment.updated"])
}

#[tokio::test]
async fn idempotency_key_returns_the_same_response_for_24_hours() {
    let partner = Partner::with_organizations(1).await;
    let key = new_idempotency_key();

    let first = partner.subscribe(&key, single_event_request()).await;
    partner.sandbox.advance(SignedDuration::from_mins(30));
    let repeated = partner.subscribe(&key, single_event_request()).await;
    assert_eq!((repeated.status, &repeated.body), (200, &first.body));

    let other_request = subscription_request(NOTIFICATION_URL, &["payment.failed"]);
    let other = partner.subscribe(&key, other_request).await;
    assert_eq!(other.status, 400);
    assert_eq!(partner.get("/v3/subscriptions").await.ids().len(), 1);

    partner.sandbox.advance(SignedDuration::from_hours(24));
    let partner = partner.with_new_session().await;
    let expired = partner.subscribe(&key, single_event_request()).await;
    assert_eq!(expired.status, 400, "the request is a duplicate");
}

#[tokio::test]
async fn retry_after_a_lost_response_returns_the_same_subscription() {
    let partner = Partner::with_organizations(1).await;
    partner.sandbox.add_fault(Fault {
        endpoint: Some("createSubscription".to_owned()),
        organization_id: None,
        kind: FaultKind::Truncated,
        times: Some(1),
    });
    let partner = partner.without_contract_checks();
    let key = new_idempotency_key();

    let lost = partner.subscribe(&key, single_event_request()).await;
    assert_eq!(lost.body, Value::Null);
    let retried = partner.subscribe(&key, single_event_request()).await;

    assert!(retried.body["securityKey"].is_string());
    assert_eq!(
        partner.get("/v3/subscriptions").await.ids(),
        [retried.body["id"].as_str().unwrap()]
    );
}

#[tokio::test]
async fn concurrent_request_with_the_same_idempotency_key_is_429() {
    let events = EventSwitches {
        creation_latency_ms: 1_500,
        ..EventSwitches::default()
    };
    let partner = Partner::with_switches(Switches {
        events,
        ..Switches::default()
    })
    .await;
    let key = new_idempotency_key();

    let (one, other) = futures::join!(
        partner.subscribe(&key, single_event_request()),
        partner.subscribe(&key, single_event_request())
    );
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 429]);

    let repeated = partner.subscribe(&key, single_event_request()).await;
    assert_eq!(repeated.status, 200);
}

#[rstest]
#[case::none("")]
#[case::a_word("one")]
#[case::version_1("a3bb189e-8bf9-11ee-b9d1-0242ac120002")]
#[tokio::test]
async fn idempotency_key_must_be_a_version_4_uuid(#[case] key: &str) {
    let partner = Partner::with_organizations(1).await;

    let response = partner.subscribe(key, single_event_request()).await;

    assert_eq!(response.status, 400);
    assert!(
        response.text.contains("X-Idempotent-Key: must be a UUID4"),
        "{}",
        response.text
    );
}
