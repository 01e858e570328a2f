//! The control API over HTTP.

use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use sandbox::{Expectation, Organization, Statistics, Switches};
use serde_json::{Value, json};

use crate::support::{Partner, days_before_start, organization_with_payments, start};

/// Sends a request to the control API; null when it answers nothing.
async fn control(partner: &Partner, method: Method, path: &str, body: Option<Value>) -> Value {
    let request = partner
        .http
        .request(method, partner.address(&format!("/_sandbox/{path}")));
    let request = body.iter().fold(request, reqwest::RequestBuilder::json);
    let response = request.send().await.unwrap().error_for_status().unwrap();
    serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null)
}

fn read<T: serde::de::DeserializeOwned>(body: Value) -> T {
    serde_json::from_value(body).unwrap()
}

#[tokio::test]
async fn population_endpoint_returns_expectations_as_of_the_given_time() {
    let partner = Partner::of(60).await;
    let later = start() + SignedDuration::from_hours(24 * 31);
    for (query, as_of) in [
        (format!("?as_of={start}", start = start()), start()),
        (format!("?as_of={later}"), later),
    ] {
        let told: Vec<Expectation> =
            read(control(&partner, Method::GET, &format!("population{query}"), None).await);
        assert_eq!(told, partner.sandbox.population(as_of));
    }
    assert_ne!(
        partner.sandbox.population(start()),
        partner.sandbox.population(later)
    );
}

#[tokio::test]
async fn an_organization_can_be_added_changed_and_read() {
    let partner = Partner::of(2).await;
    let organization = organization_with_payments("008NEW", Vec::new());
    control(
        &partner,
        Method::PUT,
        "organizations/008NEW",
        Some(json!(organization)),
    )
    .await;
    let stage = |partner: &Partner| {
        let population = partner.sandbox.population(start());
        let found = population
            .into_iter()
            .find(|row| row.organization_id.as_deref() == Some("008NEW"));
        found.unwrap().expected_stage.unwrap()
    };
    assert_eq!(stage(&partner), "awaiting_first_payment");
    assert_eq!(
        partner.get("/v3/partner/organizations").await.ids().len(),
        3
    );

    let change =
        json!({ "add_payments": [{ "newest_at": days_before_start(40), "amount_cents": 1200 }] });
    control(
        &partner,
        Method::PATCH,
        "organizations/008NEW",
        Some(change),
    )
    .await;
    assert_eq!(stage(&partner), "dormant_30");
    let session = partner.sign_in("008NEW").await;
    assert_eq!(
        partner
            .get_with_session(&session, "/v3/payments")
            .await
            .body["results"][0]["amount"],
        12.0
    );
    control(
        &partner,
        Method::PATCH,
        "organizations/008NEW",
        Some(json!({ "archived": true })),
    )
    .await;
    assert_eq!(stage(&partner), "closed");

    let read: Organization =
        read(control(&partner, Method::GET, "organizations/008NEW", None).await);
    assert!(read.archived && read.payments.len() == 1 && read.users[0].id.starts_with("006"));
    let unknown = partner
        .http
        .get(partner.address("/_sandbox/organizations/008NOWHERE"))
        .send()
        .await
        .unwrap();
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn statistics_count_requests_and_can_be_reset() {
    let partner = Partner::of(1).await;
    partner
        .sandbox
        .put_organization(organization_with_payments("008A", Vec::new()));
    let session = partner.sign_in("008A").await;
    partner.get_with_session(&session, "/v3/payments").await;
    partner.get_with_session("unknown", "/v3/payments").await;
    partner.get("/v3/nothing").await;
    let told: Statistics = read(control(&partner, Method::GET, "statistics", None).await);
    assert_eq!(
        (told.requests, told.partner_logins, told.sign_ins),
        (5, 1, 1)
    );
    assert_eq!(
        (
            told.by_endpoint["listPayments"],
            told.by_endpoint["unknown"]
        ),
        (2, 1)
    );
    assert_eq!(told.by_organization["008A"], 2);
    assert_eq!(
        (
            told.errors_by_code["BDC_1109"],
            told.errors_by_code["BDC_1121"]
        ),
        (1, 1)
    );
    assert_eq!(told, partner.sandbox.statistics());
    control(&partner, Method::DELETE, "statistics", None).await;
    assert_eq!(partner.sandbox.statistics(), Statistics::default());
}

#[tokio::test]
async fn clock_can_be_set_and_advanced_and_keeps_running() {
    let partner = Partner::of(1).await;
    let time = |body: &Value| body["now"].as_str().unwrap().parse::<Timestamp>().unwrap();
    let set: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
    let reading = control(&partner, Method::PUT, "clock", Some(json!({ "now": set }))).await;
    assert!(time(&reading).duration_since(set) < SignedDuration::from_secs(10));
    let advanced = control(
        &partner,
        Method::PUT,
        "clock",
        Some(json!({ "advance_seconds": 3_600 })),
    )
    .await;
    assert!(time(&advanced) >= set + SignedDuration::from_hours(1));
    let later = control(&partner, Method::GET, "clock", None).await;
    assert!(time(&later) > time(&advanced));
    let answer = partner.get("/v3/partner/organizations").await;
    assert!(
        answer.body[0]["timestamp"]
            .as_str()
            .unwrap()
            .starts_with("2027-01-01T01:")
    );
}

#[tokio::test]
async fn faults_and_switches_are_set_over_http() {
    let partner = Partner::of(1).await;
    let fault = json!({ "endpoint": "listPartnerOrganizations", "kind": { "type": "status", "status": 504 }, "times": 1 });
    control(&partner, Method::POST, "faults", Some(fault.clone())).await;
    let told = control(&partner, Method::GET, "faults", None).await;
    assert_eq!(told[0]["kind"]["status"], 504);
    assert_eq!(partner.get("/v3/partner/organizations").await.status, 504);
    control(&partner, Method::POST, "faults", Some(fault)).await;
    control(&partner, Method::DELETE, "faults", None).await;
    assert_eq!(partner.get("/v3/partner/organizations").await.status, 200);

    control(
        &partner,
        Method::PUT,
        "switches",
        Some(json!({ "hourly_limit": 0 })),
    )
    .await;
    let told: Switches = read(control(&partner, Method::GET, "switches", None).await);
    assert_eq!(
        told,
        Switches {
            hourly_limit: 0,
            ..Switches::default()
        }
    );
    assert_eq!(
        partner.get("/v3/partner/organizations").await.codes(),
        ["BDC_1144"]
    );
}

#[tokio::test]
async fn switches_with_an_unknown_field_are_rejected() {
    let partner = Partner::of(1).await;
    let put = |path: &str, body: Value| partner.http.put(partner.address(path)).json(&body).send();
    let answer = put("/_sandbox/switches", json!({ "hourly_limmit": 1 }))
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
}
