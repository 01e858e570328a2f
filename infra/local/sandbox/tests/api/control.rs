//! The control API over HTTP.

use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, RequestBuilder, StatusCode};
use sandbox::{Expectation, Organization, Statistics, Switches};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::support::{Partner, days_before_start, organization_with_payments, start_time};

/// Sends a request to the control API. Returns null if the response has no content.
async fn control_request(
    partner: &Partner,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Value {
    let url = partner.url_for(&format!("/_sandbox/{path}"));
    let request = body
        .iter()
        .fold(partner.http.request(method, url), RequestBuilder::json);
    let response = request.send().await.unwrap().error_for_status().unwrap();

    serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null)
}

async fn get<T: DeserializeOwned>(partner: &Partner, path: &str) -> T {
    let body = control_request(partner, Method::GET, path, None).await;

    serde_json::from_value(body).unwrap()
}

async fn put(partner: &Partner, path: &str, body: Value) -> Value {
    control_request(partner, Method::PUT, path, Some(body)).await
}

async fn patch(partner: &Partner, path: &str, body: Value) {
    control_request(partner, Method::PATCH, path, Some(body)).await;
}

async fn delete(partner: &Partner, path: &str) {
    control_request(partner, Method::DELETE, path, None).await;
}

#[tokio::test]
async fn population_endpoint_returns_expectations_as_of_the_given_time() {
    let partner = Partner::with_organizations(60).await;
    let later = start_time() + SignedDuration::from_hours(24 * 31);

    for as_of in [start_time(), later] {
        let reported: Vec<Expectation> = get(&partner, &format!("population?as_of={as_of}")).await;
        assert_eq!(reported, partner.sandbox.expectations(as_of));
    }
    assert_ne!(
        partner.sandbox.expectations(start_time()),
        partner.sandbox.expectations(later)
    );
}

#[tokio::test]
async fn an_organization_can_be_added_changed_and_read() {
    let partner = Partner::with_organizations(2).await;
    let path = "organizations/008NEW";
    let stage = || {
        let expectations = partner.sandbox.expectations(start_time());
        let found = expectations
            .into_iter()
            .find(|row| row.organization_id.as_deref() == Some("008NEW"));
        found.unwrap().expected_stage.unwrap()
    };

    let organization = organization_with_payments("008NEW", Vec::new());
    put(&partner, path, json!(organization)).await;
    assert_eq!(stage(), "awaiting_first_payment");
    let listed = partner.get("/v3/partner/organizations").await;
    assert_eq!(listed.ids().len(), 3);

    let payment = json!({ "newest_at": days_before_start(40), "amount_cents": 1200 });
    patch(&partner, path, json!({ "add_payments": [payment] })).await;
    assert_eq!(stage(), "dormant_30");
    let session = partner.sign_in("008NEW").await;
    let payments = partner.get_with_session(&session, "/v3/payments").await;
    assert_eq!(payments.rows()[0]["amount"], 12.0);

    patch(&partner, path, json!({ "archived": true })).await;
    assert_eq!(stage(), "closed");

    let read: Organization = get(&partner, path).await;
    assert!(read.archived);
    let role = format!("{path}/users/{}/role", read.users[0].id);
    put(&partner, &role, json!({ "role": "CLERK" })).await;
    let read: Organization = get(&partner, path).await;
    assert_eq!(read.users[0].role, "CLERK");
    assert_eq!(read.payments.len(), 1);
    assert!(read.users[0].id.starts_with("006"));
    let unknown = partner
        .http
        .get(partner.url_for("/_sandbox/organizations/008NOWHERE"))
        .send()
        .await
        .unwrap();
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn statistics_count_requests_and_can_be_reset() {
    let partner = Partner::with_organizations(1).await;
    partner
        .sandbox
        .put_organization(organization_with_payments("008A", Vec::new()));
    let session = partner.sign_in("008A").await;
    partner.get_with_session(&session, "/v3/payments").await;
    partner.get_with_session("unknown", "/v3/payments").await;
    partner.get("/v3/nothing").await;

    let reported: Statistics = get(&partner, "statistics").await;
    assert_eq!(
        (
            reported.requests,
            reported.partner_logins,
            reported.sign_ins
        ),
        (5, 1, 1)
    );
    let by_endpoint = &reported.by_endpoint;
    assert_eq!(
        (by_endpoint["listPayments"], by_endpoint["unknown"]),
        (2, 1)
    );
    assert_eq!(reported.by_organization["008A"], 2);
    let errors = &reported.errors_by_code;
    assert_eq!((errors["BDC_1109"], errors["BDC_1121"]), (1, 1));
    assert_eq!(reported, partner.sandbox.statistics());

    delete(&partner, "statistics").await;
    assert_eq!(partner.sandbox.statistics(), Statistics::default());
}

#[tokio::test]
async fn clock_can_be_set_and_advanced_and_keeps_running() {
    let partner = Partner::with_organizations(1).await;
    let time = |body: &Value| body["now"].as_str().unwrap().parse::<Timestamp>().unwrap();
    let now: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();

    let set = put(&partner, "clock", json!({ "now": now })).await;
    assert!(time(&set).duration_since(now) < SignedDuration::from_secs(10));
    let advanced = put(&partner, "clock", json!({ "advance_seconds": 3_600 })).await;
    assert!(time(&advanced) >= now + SignedDuration::from_hours(1));
    let later: Value = get(&partner, "clock").await;
    assert!(time(&later) > time(&advanced));

    let response = partner.get("/v3/partner/organizations").await;
    let timestamp = response.body[0]["timestamp"].as_str().unwrap();
    assert!(timestamp.starts_with("2027-01-01T01:"));
}

#[tokio::test]
async fn faults_and_switches_are_set_over_http() {
    let partner = Partner::with_organizations(1).await;
    let path = "/v3/partner/organizations";
    let fault = json!({
        "endpoint": "listPartnerOrganizations",
        "kind": { "type": "status", "status": 504 },
        "times": 1,
    });

    control_request(&partner, Method::POST, "faults", Some(fault.clone())).await;
    let reported: Value = get(&partner, "faults").await;
    assert_eq!(reported[0]["kind"]["status"], 504);
    assert_eq!(partner.get(path).await.status, 504);
    control_request(&partner, Method::POST, "faults", Some(fault)).await;
    delete(&partner, "faults").await;
    assert_eq!(partner.get(path).await.status, 200);

    put(&partner, "switches", json!({ "hourly_limit": 0 })).await;
    let reported: Switches = get(&partner, "switches").await;
    assert_eq!(
        reported,
        Switches {
            hourly_limit: 0,
            ..Switches::default()
        }
    );
    assert_eq!(partner.get(path).await.codes(), ["BDC_1144"]);
}

#[tokio::test]
async fn switches_with_an_unknown_field_are_rejected() {
    let partner = Partner::with_organizations(1).await;

    let response = partner
        .http
        .put(partner.url_for("/_sandbox/switches"))
        .json(&json!({ "hourly_limmit": 1 }))
        .send()
        .await
        .unwrap();

    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
}
