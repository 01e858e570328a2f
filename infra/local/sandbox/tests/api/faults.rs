//! Injected faults.

use std::time::{Duration, Instant};

use sandbox::{Fault, FaultKind};

use crate::support::{Partner, organization_with_payments};

const ORGANIZATIONS_PATH: &str = "/v3/partner/organizations";

/// A fault of the next request.
fn fault(kind: FaultKind) -> Fault {
    Fault {
        endpoint: None,
        organization_id: None,
        kind,
        times: Some(1),
    }
}

fn status(status: u16, code: Option<&str>, retry_after: Option<u64>) -> FaultKind {
    FaultKind::Status {
        status,
        code: code.map(str::to_owned),
        retry_after,
    }
}

#[tokio::test]
async fn status_fault_returns_its_code_and_retry_after() {
    let partner = Partner::with_organizations(1).await;
    let faults = [
        status(429, Some("BDC_1322"), Some(7)),
        status(503, None, None),
    ];
    for kind in faults {
        partner.sandbox.add_fault(fault(kind));
    }

    let response = partner.get(ORGANIZATIONS_PATH).await;
    assert_eq!((response.status, response.codes()), (429, vec!["BDC_1322"]));
    assert_eq!(response.headers["retry-after"], "7");
    let response = partner.get(ORGANIZATIONS_PATH).await;
    assert_eq!((response.status, response.codes()), (503, vec!["BDC_1001"]));
    assert_eq!(partner.get(ORGANIZATIONS_PATH).await.status, 200);

    let errors = partner.sandbox.statistics().errors_by_code;
    assert_eq!((errors["BDC_1322"], errors["BDC_1001"]), (1, 1));
}

#[tokio::test]
async fn html_fault_returns_an_html_page() {
    let partner = Partner::with_organizations(1).await;
    partner
        .sandbox
        .add_fault(fault(FaultKind::Html { status: 502 }));

    let response = partner.get(ORGANIZATIONS_PATH).await;

    assert_eq!(
        (response.status, &response.headers["content-type"]),
        (502, &"text/html".parse().unwrap())
    );
    assert!(response.text.starts_with("<html>"));
}

#[tokio::test]
async fn truncated_fault_returns_200_with_half_the_body() {
    let partner = Partner::with_bad_records(3).await;
    let complete = partner.get(ORGANIZATIONS_PATH).await;

    partner.sandbox.add_fault(fault(FaultKind::Truncated));
    let truncated = partner.get(ORGANIZATIONS_PATH).await;

    assert_eq!(
        (truncated.status, truncated.body),
        (200, serde_json::Value::Null)
    );
    assert!(complete.text.starts_with(&truncated.text[..20]));
    assert!(truncated.text.len() < complete.text.len());
}

#[tokio::test]
async fn delay_fault_returns_the_complete_response_late() {
    let partner = Partner::with_organizations(1).await;
    partner
        .sandbox
        .add_fault(fault(FaultKind::Delay { milliseconds: 300 }));

    let started = Instant::now();
    assert_eq!(partner.get(ORGANIZATIONS_PATH).await.status, 200);

    assert!(started.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn reset_fault_closes_the_connection_without_a_response() {
    let partner = Partner::with_organizations(1).await;
    partner.sandbox.add_fault(Fault {
        times: None,
        ..fault(FaultKind::Reset)
    });

    let request = partner.http.get(partner.url_for(ORGANIZATIONS_PATH));
    let error = request.send().await.unwrap_err();
    assert!(error.is_request() && error.status().is_none(), "{error:?}");

    partner.sandbox.clear_faults();
    assert_eq!(partner.get(ORGANIZATIONS_PATH).await.status, 200);
}

#[tokio::test]
async fn fault_applies_only_to_its_endpoint_and_organization() {
    let partner = Partner::with_organizations(1).await;
    for id in ["008A", "008B"] {
        partner
            .sandbox
            .put_organization(organization_with_payments(id, Vec::new()));
    }
    let (one, other) = (partner.sign_in("008A").await, partner.sign_in("008B").await);
    partner.sandbox.add_fault(Fault {
        endpoint: Some("listPayments".to_owned()),
        organization_id: Some("008A".to_owned()),
        kind: status(500, None, None),
        times: None,
    });

    for _ in 0..2 {
        for (session, path, status) in [
            (&one, "/v3/payments", 500),
            (&one, "/v3/funding-accounts/banks", 200),
            (&other, "/v3/payments", 200),
        ] {
            let response = partner.get_with_session(session, path).await;
            assert_eq!(response.status, status, "{path}");
        }
    }

    partner.sandbox.clear_faults();
    let response = partner.get_with_session(&one, "/v3/payments").await;
    assert_eq!(response.status, 200);
}

#[tokio::test]
async fn organization_fault_applies_to_list_users_and_login_as_user() {
    let partner = Partner::with_organizations(1).await;
    partner
        .sandbox
        .put_organization(organization_with_payments("008A", Vec::new()));
    partner.sandbox.add_fault(Fault {
        organization_id: Some("008A".to_owned()),
        times: None,
        ..fault(status(500, None, None))
    });

    assert_eq!(partner.users("008A").await.status, 500);
    assert_eq!(partner.login_as_user("006x", "008A").await.status, 500);
    assert_eq!(partner.get(ORGANIZATIONS_PATH).await.status, 200);
}
