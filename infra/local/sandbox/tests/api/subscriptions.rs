//! Subscriptions to events.

use jiff::SignedDuration;
use reqwest::Method;
use rstest::rstest;
use sandbox::{EventSwitches, Fault, FaultKind, Switches};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, Partner};

const URL: &str = "https://hooks.northlight-ledger.example/bill";

/// A request for a subscription to these events.
pub fn wanted(url: &str, events: &[&str]) -> Value {
    let events: Vec<Value> = events
        .iter()
        .map(|event| json!({ "type": event, "version": "1" }))
        .collect();
    json!({ "name": "Customer engagement", "status": { "enabled": true }, "events": events, "notificationUrl": url })
}

impl Partner {
    pub async fn subscribe(&self, key: &str, body: Value) -> Answer {
        let [session, app_key] = self.partner_headers();
        self.post(
            "/v3/subscriptions",
            &[session, app_key, ("X-Idempotent-Key", key)],
            body,
        )
        .await
    }
}

/// A fresh idempotency key.
pub fn key() -> String {
    Uuid::new_v4().to_string()
}

fn single_event_request() -> Value {
    wanted(URL, &["payment.updated"])
}

#[tokio::test]
async fn security_key_is_returned_only_on_creation() {
    let partner = Partner::of(1).await;
    let created = partner.subscribe(&key(), single_event_request()).await;
    assert_eq!(created.status, 200, "{}", created.text);
    assert!(created.body["securityKey"].as_str().unwrap().len() > 20);
    assert_eq!(
        created.body["status"],
        json!({ "enabled": true, "actor": "CLIENT" })
    );
    let id = created.body["id"].as_str().unwrap();

    let read = partner.get(&format!("/v3/subscriptions/{id}")).await;
    let listed = partner.get("/v3/subscriptions").await;
    let mut without_key = created.body.clone();
    without_key.as_object_mut().unwrap().remove("securityKey");
    assert_eq!((read.status, &read.body), (200, &without_key));
    assert_eq!(listed.body, json!({ "results": [without_key] }));

    assert_eq!(
        partner
            .delete(&format!("/v3/subscriptions/{id}"))
            .await
            .status,
        200
    );
    assert_eq!(
        partner.get("/v3/subscriptions").await.body,
        json!({ "results": [] })
    );
}

#[tokio::test]
async fn idempotency_key_returns_the_same_response_for_24_hours() {
    let partner = Partner::of(1).await;
    let key = key();
    let first = partner.subscribe(&key, single_event_request()).await;
    partner.sandbox.advance(SignedDuration::from_mins(30));
    let again = partner.subscribe(&key, single_event_request()).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    let other = partner
        .subscribe(&key, wanted(URL, &["payment.failed"]))
        .await;
    assert_eq!(other.status, 400);
    assert_eq!(partner.get("/v3/subscriptions").await.ids().len(), 1);

    partner.sandbox.advance(SignedDuration::from_hours(24));
    let partner = partner.logged_in_again().await;
    let forgotten = partner.subscribe(&key, single_event_request()).await;
    assert_eq!(forgotten.status, 400, "it is a duplicate now");
}

#[tokio::test]
async fn retry_after_a_lost_response_returns_the_same_subscription() {
    let partner = Partner::of(1).await;
    let endpoint = Some("createSubscription".to_owned());
    partner.sandbox.fault(Fault {
        endpoint,
        organization_id: None,
        kind: FaultKind::Truncated,
        times: Some(1),
    });
    let partner = partner.without_contract_checks();
    let key = key();
    let lost = partner.subscribe(&key, single_event_request()).await;
    assert_eq!(lost.body, Value::Null);
    let found = partner.subscribe(&key, single_event_request()).await;
    assert!(found.body["securityKey"].is_string());
    assert_eq!(
        partner.get("/v3/subscriptions").await.ids(),
        [found.body["id"].as_str().unwrap()]
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
    let key = key();
    let (one, other) = futures::join!(
        partner.subscribe(&key, single_event_request()),
        partner.subscribe(&key, single_event_request())
    );
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 429]);
    assert_eq!(
        partner.subscribe(&key, single_event_request()).await.status,
        200
    );
}

#[rstest]
#[case::none("")]
#[case::a_word("one")]
#[case::version_1("a3bb189e-8bf9-11ee-b9d1-0242ac120002")]
#[tokio::test]
async fn idempotency_key_must_be_a_version_4_uuid(#[case] key: &str) {
    let partner = Partner::of(1).await;
    let answer = partner.subscribe(key, single_event_request()).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.text.contains("X-Idempotent-Key: must be a UUID4"),
        "{}",
        answer.text
    );
}

#[rstest]
#[case::http("http://hooks.northlight-ledger.example/bill", false)]
#[case::another_scheme("ftp://127.0.0.1/bill", false)]
#[case::no_url("hooks", false)]
#[case::a_name_that_only_looks_local("http://localhost.example.com/", false)]
#[case::loopback("http://127.0.0.1:9/bill", true)]
#[case::local_name("http://abc.execute-api.localhost:9/bill", true)]
#[tokio::test]
async fn notification_url_must_be_https_except_on_loopback(
    #[case] url: &str,
    #[case] accepted: bool,
) {
    let partner = Partner::of(1).await;
    let status = if accepted { 200 } else { 400 };
    assert_eq!(
        partner
            .subscribe(&key(), wanted(url, &["payment.updated"]))
            .await
            .status,
        status
    );
    let events = EventSwitches {
        allow_http_to_loopback: false,
        ..EventSwitches::default()
    };
    let partner = Partner::with_switches(Switches {
        events,
        ..Switches::default()
    })
    .await;
    assert_eq!(
        partner
            .subscribe(&key(), wanted(url, &["payment.updated"]))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn subscription_request_with_missing_fields_reports_each_field() {
    let partner = Partner::of(1).await;
    let answer = partner.subscribe(&key(), json!({})).await;
    assert_eq!((answer.status, answer.codes().len()), (400, 4));
    let answer = partner.subscribe(&key(), json!({ "events": 7 })).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn duplicate_and_eleventh_subscription_are_rejected() {
    let partner = Partner::of(1).await;
    let both = ["payment.updated", "payment.failed"];
    assert_eq!(
        partner.subscribe(&key(), wanted(URL, &both)).await.status,
        200
    );
    assert_eq!(
        partner
            .subscribe(&key(), wanted(URL, &["payment.failed", "payment.updated"]))
            .await
            .status,
        400
    );
    for number in 1..10 {
        assert_eq!(
            partner
                .subscribe(&key(), wanted(&format!("{URL}?v={number}"), &both))
                .await
                .status,
            200
        );
    }
    assert_eq!(
        partner
            .subscribe(&key(), single_event_request())
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn subscriptions_are_paged_oldest_first() {
    let partner = Partner::of(1).await;
    for number in 0..7 {
        partner
            .subscribe(
                &key(),
                wanted(&format!("{URL}/{number}"), &["payment.updated"]),
            )
            .await;
    }
    let (all, pages) = partner
        .all("/v3/subscriptions?max=3", &partner.partner_headers())
        .await;
    assert_eq!((all.len(), pages), (7, 3));
    let urls: Vec<_> = all
        .iter()
        .map(|row| {
            row["notificationUrl"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap()
        })
        .collect();
    assert_eq!(urls, ["0", "1", "2", "3", "4", "5", "6"]);
    for query in ["max=0", "max=101", "max=x", "page=elsewhere"] {
        assert_eq!(
            partner
                .get(&format!("/v3/subscriptions?{query}"))
                .await
                .status,
            400,
            "{query}"
        );
    }
}

#[rstest]
#[case(404)]
#[case(400)]
#[tokio::test]
async fn unknown_subscription_returns_the_configured_status(#[case] status: u16) {
    let events = EventSwitches {
        unknown_subscription_status: status,
        ..EventSwitches::default()
    };
    let partner = Partner::with_switches(Switches {
        events,
        ..Switches::default()
    })
    .await;
    assert_eq!(
        partner.get("/v3/subscriptions/nowhere").await.status,
        status
    );
    assert_eq!(
        partner.delete("/v3/subscriptions/nowhere").await.status,
        status
    );
    let test = partner
        .post(
            "/v3/subscriptions/nowhere/test",
            &partner.partner_headers(),
            json!({}),
        )
        .await;
    assert_eq!(test.status, status);
}

#[tokio::test]
async fn subscription_operations_require_session_key_and_events_path() {
    let partner = Partner::of(1).await;
    let [session, app_key] = partner.partner_headers();
    let path = "/v3/subscriptions";
    assert_eq!(
        partner.get_with_headers(path, &[app_key]).await.codes(),
        ["BDC_1109"]
    );
    assert_eq!(
        partner
            .get_with_headers(path, &[session, ("appKey", "wrong")])
            .await
            .codes(),
        ["BDC_1102"]
    );
    for (base, path) in [
        (partner.sandbox.url(), "/v3/subscriptions"),
        (partner.sandbox.events_url(), "/v3/partner/organizations"),
    ] {
        let request = partner.http.request(Method::GET, format!("{base}{path}"));
        assert_eq!(request.send().await.unwrap().status(), 404, "{base}{path}");
    }
}
