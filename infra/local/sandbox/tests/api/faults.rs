//! Faults on demand.

use std::time::{Duration, Instant};

use sandbox::{Fault, FaultKind};

use crate::support::{Partner, organization_with_payments};

const LIST: &str = "/v3/partner/organizations";

fn fault(kind: FaultKind) -> Fault {
    Fault {
        endpoint: None,
        organization_id: None,
        kind,
        times: Some(1),
    }
}

#[tokio::test]
async fn status_fault_returns_its_code_and_retry_after() {
    let partner = Partner::of(1).await;
    let busy = FaultKind::Status {
        status: 429,
        code: Some("BDC_1322".to_owned()),
        retry_after: Some(7),
    };
    partner.sandbox.fault(fault(busy));
    partner.sandbox.fault(fault(FaultKind::Status {
        status: 503,
        code: None,
        retry_after: None,
    }));
    let answer = partner.get(LIST).await;
    assert_eq!((answer.status, answer.codes()), (429, vec!["BDC_1322"]));
    assert_eq!(answer.headers["retry-after"], "7");
    let answer = partner.get(LIST).await;
    assert_eq!((answer.status, answer.codes()), (503, vec!["BDC_1001"]));
    assert_eq!(partner.get(LIST).await.status, 200);
    let statistics = partner.sandbox.statistics();
    assert_eq!(
        (
            statistics.errors_by_code["BDC_1322"],
            statistics.errors_by_code["BDC_1001"]
        ),
        (1, 1)
    );
}

#[tokio::test]
async fn html_fault_returns_an_html_page() {
    let partner = Partner::of(1).await;
    partner
        .sandbox
        .fault(fault(FaultKind::Html { status: 502 }));
    let answer = partner.get(LIST).await;
    assert_eq!(
        (answer.status, &answer.headers["content-type"]),
        (502, &"text/html".parse().unwrap())
    );
    assert!(answer.text.starts_with("<html>"));
}

#[tokio::test]
async fn truncated_fault_returns_200_with_half_the_body() {
    let partner = Partner::with_bad_records(3).await;
    let whole = partner.get(LIST).await;
    partner.sandbox.fault(fault(FaultKind::Truncated));
    let cut = partner.get(LIST).await;
    assert_eq!((cut.status, cut.body), (200, serde_json::Value::Null));
    assert!(whole.text.starts_with(&cut.text[..20]) && cut.text.len() < whole.text.len());
}

#[tokio::test]
async fn delay_fault_returns_the_complete_response_late() {
    let partner = Partner::of(1).await;
    partner
        .sandbox
        .fault(fault(FaultKind::Delay { milliseconds: 300 }));
    let begun = Instant::now();
    assert_eq!(partner.get(LIST).await.status, 200);
    assert!(begun.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn reset_fault_closes_the_connection_without_a_response() {
    let partner = Partner::of(1).await;
    partner.sandbox.fault(Fault {
        times: None,
        ..fault(FaultKind::Reset)
    });
    let error = partner
        .http
        .get(partner.address(LIST))
        .send()
        .await
        .unwrap_err();
    assert!(error.is_request() && error.status().is_none(), "{error:?}");
    partner.sandbox.clear_faults();
    assert_eq!(partner.get(LIST).await.status, 200);
}

#[tokio::test]
async fn fault_applies_only_to_its_endpoint_and_organization() {
    let partner = Partner::of(1).await;
    for id in ["008A", "008B"] {
        partner
            .sandbox
            .put_organization(organization_with_payments(id, Vec::new()));
    }
    let (one, other) = (partner.sign_in("008A").await, partner.sign_in("008B").await);
    let kind = FaultKind::Status {
        status: 500,
        code: None,
        retry_after: None,
    };
    let (endpoint, organization_id) = (Some("listPayments".to_owned()), Some("008A".to_owned()));
    partner.sandbox.fault(Fault {
        endpoint,
        organization_id,
        kind,
        times: None,
    });
    for _ in 0..2 {
        assert_eq!(
            partner.get_with_session(&one, "/v3/payments").await.status,
            500
        );
        assert_eq!(
            partner
                .get_with_session(&one, "/v3/funding-accounts/banks")
                .await
                .status,
            200
        );
        assert_eq!(
            partner
                .get_with_session(&other, "/v3/payments")
                .await
                .status,
            200
        );
    }
    partner.sandbox.clear_faults();
    assert_eq!(
        partner.get_with_session(&one, "/v3/payments").await.status,
        200
    );
}

#[tokio::test]
async fn organization_fault_applies_to_list_users_and_login_as_user() {
    let partner = Partner::of(1).await;
    partner
        .sandbox
        .put_organization(organization_with_payments("008A", Vec::new()));
    let kind = FaultKind::Status {
        status: 500,
        code: None,
        retry_after: None,
    };
    partner.sandbox.fault(Fault {
        organization_id: Some("008A".to_owned()),
        times: None,
        ..fault(kind)
    });
    assert_eq!(partner.users("008A").await.status, 500);
    assert_eq!(partner.login_as_user("006x", "008A").await.status, 500);
    assert_eq!(partner.get(LIST).await.status, 200);
}
