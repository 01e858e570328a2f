//! Every operation for every scenario, and every error. [`Partner`] checks each response against
//! the contract.

use sandbox::{Fault, FaultKind, Switches, UnstartedVerification};
use serde_json::json;

use crate::support::{Partner, organization_with_payments, start_time};

#[tokio::test]
async fn every_operation_matches_the_contract_for_every_scenario() {
    let partner = Partner::with_organizations(90).await;
    let (rows, _) = partner
        .all_pages(
            "/v3/partner/organizations?max=100",
            &partner.partner_headers(),
        )
        .await;
    assert_eq!(rows.len(), 90);

    for row in &rows {
        let id = row["id"].as_str().unwrap();
        assert!(id.starts_with("008") && id.len() == 20);
        let users = partner.users(id).await;
        assert_eq!(users.status, 200);
        let user = users.rows().iter().find(|user| user["archived"] == false);
        let Some(user) = user.and_then(|user| user["id"].as_str()) else {
            continue;
        };
        assert!(user.starts_with("006") && user.len() == 20);

        let login = partner.login_as_user(user, id).await;
        let session = login.body["sessionId"].as_str().unwrap();
        for path in [
            "/v3/funding-accounts/banks?max=100",
            "/v3/payments?max=100&sort=createdTime:desc",
            "/v3/risk-verifications",
            "/v3/login/session",
        ] {
            assert_eq!(partner.get_with_session(session, path).await.status, 200);
        }
        let headers = partner.organization_headers(session);
        let logout = partner.post("/v3/logout", &headers, json!({})).await;
        assert_eq!(logout.status, 200);
    }
}

#[tokio::test]
async fn rows_include_private_fields() {
    let partner = Partner::with_organizations(3).await;

    let organizations = partner.get("/v3/partner/organizations").await;
    let organization = &organizations.rows()[0];
    for pointer in [
        "/taxId",
        "/companyOwner/dateOfBirth",
        "/companyOwner/name",
        "/phone",
        "/address/line1",
    ] {
        let value = organization.pointer(pointer).unwrap().as_str().unwrap();
        assert!(value.len() > 3, "{pointer}");
    }

    let session = partner.sign_in(organization["id"].as_str().unwrap()).await;
    let accounts = partner
        .get_with_session(&session, "/v3/funding-accounts/banks")
        .await;
    let account_number = accounts.rows()[0]["accountNumber"].as_str().unwrap();
    assert!(account_number.starts_with("************"));
    let payments = partner.get_with_session(&session, "/v3/payments").await;
    let email = payments.rows()[0]["remittanceEmail"].as_str().unwrap();
    assert!(email.contains('@'));
}

#[tokio::test]
async fn every_error_response_matches_the_contract() {
    let partner = Partner::with_organizations(1).await;
    partner
        .sandbox
        .put_organization(organization_with_payments("008A", Vec::new()));
    let session = partner.sign_in("008A").await;

    for (status, code) in [
        (400, "BDC_1102"),
        (401, "BDC_1109"),
        (403, "BDC_1361"),
        (404, "BDC_1121"),
        (408, "BDC_1002"),
        (422, "BDC_1144"),
        (429, "BDC_1322"),
        (500, "BDC_1001"),
        (503, "BDC_9999"),
    ] {
        partner.sandbox.add_fault(Fault {
            endpoint: None,
            organization_id: None,
            kind: FaultKind::Status {
                status,
                code: Some(code.to_owned()),
                retry_after: None,
            },
            times: Some(3),
        });
        for response in [
            partner.get("/v3/partner/organizations").await,
            partner.get_with_session(&session, "/v3/payments").await,
            partner.post("/v3/partner/login", &[], json!({})).await,
        ] {
            assert_eq!((response.status, response.codes()), (status, vec![code]));
        }
    }

    let response = partner.get("/v3/partner/users").await;
    assert_eq!((response.status, response.codes().len()), (400, 1));
    assert_eq!(partner.users("008NOWHERE").await.status, 422);
    let headers = partner.partner_headers();
    let response = partner
        .post("/v3/partner/login-as-user", &headers, json!({}))
        .await;
    assert_eq!((response.status, response.codes().len()), (400, 2));
}

#[tokio::test]
async fn verification_not_started_returns_an_empty_object_or_404() {
    let partner = Partner::with_organizations(60).await;
    let expectations = partner.sandbox.expectations(start_time());
    let not_started = expectations
        .iter()
        .find(|row| row.scenario == "verification_not_started")
        .unwrap();
    let id = not_started.organization_id.as_ref().unwrap();
    let session = partner.sign_in(id).await;
    let path = "/v3/risk-verifications";

    let response = partner.get_with_session(&session, path).await;
    assert_eq!(response.body, json!({}));

    partner.sandbox.set_switches(Switches {
        unstarted_verification: UnstartedVerification::NotFound,
        ..Switches::default()
    });
    let response = partner.get_with_session(&session, path).await;
    assert_eq!(response.status, 404);
}
