//! The operations about webhook subscriptions.

use reqwest::Method;
use rstest::rstest;
use sandbox::{EventSwitches, Switches};
use serde_json::{Value, json};

use crate::support::{ApiResponse, Partner, new_idempotency_key, subscription_request};

const NOTIFICATION_URL: &str = "https://hooks.northlight-ledger.example/bill";

/// Creates a subscription with a new idempotency key.
async fn subscribe(partner: &Partner, body: Value) -> ApiResponse {
    partner.subscribe(&new_idempotency_key(), body).await
}

fn single_event_request() -> Value {
    subscription_request(NOTIFICATION_URL, &["payment.updated"])
}

async fn partner_with(events: EventSwitches) -> Partner {
    Partner::with_switches(Switches {
        events,
        ..Switches::default()
    })
    .await
}

#[tokio::test]
async fn security_key_is_returned_only_on_creation() {
    let partner = Partner::with_organizations(1).await;

    let created = subscribe(&partner, single_event_request()).await;
    assert_eq!(created.status, 200, "{}", created.text);
    assert!(created.body["securityKey"].as_str().unwrap().len() > 20);
    assert_eq!(
        created.body["status"],
        json!({ "enabled": true, "actor": "CLIENT" })
    );

    let path = format!("/v3/subscriptions/{}", created.body["id"].as_str().unwrap());
    let read = partner.get(&path).await;
    let listed = partner.get("/v3/subscriptions").await;
    let mut without_key = created.body.clone();
    without_key.as_object_mut().unwrap().remove("securityKey");
    assert_eq!((read.status, &read.body), (200, &without_key));
    assert_eq!(listed.body, json!({ "results": [without_key] }));

    assert_eq!(partner.delete(&path).await.status, 200);
    assert_eq!(
        partner.get("/v3/subscriptions").await.body,
        json!({ "results": [] })
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
    let request = subscription_request(url, &["payment.updated"]);

    let partner = Partner::with_organizations(1).await;
    let status = if accepted { 200 } else { 400 };
    assert_eq!(subscribe(&partner, request.clone()).await.status, status);

    let partner = partner_with(EventSwitches {
        allow_http_to_loopback: false,
        ..EventSwitches::default()
    })
    .await;
    assert_eq!(subscribe(&partner, request).await.status, 400);
}

#[tokio::test]
async fn subscription_request_with_missing_fields_reports_each_field() {
    let partner = Partner::with_organizations(1).await;

    let response = subscribe(&partner, json!({})).await;
    assert_eq!((response.status, response.codes().len()), (400, 4));

    let response = subscribe(&partner, json!({ "events": 7 })).await;
    assert_eq!(response.status, 400);
}

#[tokio::test]
async fn duplicate_and_eleventh_subscription_are_rejected() {
    let partner = Partner::with_organizations(1).await;
    let both = ["payment.updated", "payment.failed"];
    let reversed = ["payment.failed", "payment.updated"];

    let first = subscribe(&partner, subscription_request(NOTIFICATION_URL, &both)).await;
    assert_eq!(first.status, 200);
    let duplicate = subscribe(&partner, subscription_request(NOTIFICATION_URL, &reversed)).await;
    assert_eq!(duplicate.status, 400);

    for number in 1..10 {
        let url = format!("{NOTIFICATION_URL}?v={number}");
        let response = subscribe(&partner, subscription_request(&url, &both)).await;
        assert_eq!(response.status, 200);
    }
    let eleventh = subscribe(&partner, single_event_request()).await;
    assert_eq!(eleventh.status, 400);
}

#[tokio::test]
async fn subscriptions_are_paged_oldest_first() {
    let partner = Partner::with_organizations(1).await;
    for number in 0..7 {
        let url = format!("{NOTIFICATION_URL}/{number}");
        subscribe(&partner, subscription_request(&url, &["payment.updated"])).await;
    }

    let (all, pages) = partner
        .all_pages("/v3/subscriptions?max=3", &partner.partner_headers())
        .await;
    assert_eq!((all.len(), pages), (7, 3));
    let numbers: Vec<_> = all
        .iter()
        .map(|row| {
            let url = row["notificationUrl"].as_str().unwrap();
            url.rsplit('/').next().unwrap()
        })
        .collect();
    assert_eq!(numbers, ["0", "1", "2", "3", "4", "5", "6"]);

    for query in ["max=0", "max=101", "max=x", "page=elsewhere"] {
        let response = partner.get(&format!("/v3/subscriptions?{query}")).await;
        assert_eq!(response.status, 400, "{query}");
    }
}

#[rstest]
#[case(404)]
#[case(400)]
#[tokio::test]
async fn unknown_subscription_returns_the_configured_status(#[case] status: u16) {
    let partner = partner_with(EventSwitches {
        unknown_subscription_status: status,
        ..EventSwitches::default()
    })
    .await;
    let path = "/v3/subscriptions/nowhere";

    let read = partner.get(path).await;
    let deleted = partner.delete(path).await;
    let tested = partner
        .post(
            &format!("{path}/test"),
            &partner.partner_headers(),
            json!({}),
        )
        .await;

    assert_eq!(read.status, status);
    assert_eq!(deleted.status, status);
    assert_eq!(tested.status, status);
}

#[tokio::test]
async fn subscription_operations_require_session_key_and_events_path() {
    let partner = Partner::with_organizations(1).await;
    let [session, app_key] = partner.partner_headers();
    let path = "/v3/subscriptions";

    let without_session = partner.get_with_headers(path, &[app_key]).await;
    assert_eq!(without_session.codes(), ["BDC_1109"]);
    let with_wrong_key = partner
        .get_with_headers(path, &[session, ("appKey", "wrong")])
        .await;
    assert_eq!(with_wrong_key.codes(), ["BDC_1102"]);

    for (base, path) in [
        (partner.sandbox.url(), "/v3/subscriptions"),
        (partner.sandbox.events_url(), "/v3/partner/organizations"),
    ] {
        let request = partner.http.request(Method::GET, format!("{base}{path}"));
        assert_eq!(request.send().await.unwrap().status(), 404, "{base}{path}");
    }
}
