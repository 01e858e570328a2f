//! Every operation for every case, and every error, against the contract: the check is in
//! [`Partner`].

use sandbox::{Fault, FaultKind, Switches, UnstartedVerification};
use serde_json::json;

use crate::support::{Partner, organization_with_payments, start};

#[tokio::test]
async fn every_operation_matches_the_contract_for_every_scenario() {
    let partner = Partner::of(90).await;
    let (rows, _) = partner
        .all(
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
        let user = users.body["results"]
            .as_array()
            .unwrap()
            .iter()
            .find(|user| user["archived"] == false);
        let Some(user) = user.and_then(|user| user["id"].as_str()) else {
            continue;
        };
        assert!(user.starts_with("006") && user.len() == 20);
        let session = partner.login_as_user(user, id).await.body["sessionId"]
            .as_str()
            .unwrap()
            .to_owned();
        for path in [
            "/v3/funding-accounts/banks?max=100",
            "/v3/payments?max=100&sort=createdTime:desc",
            "/v3/risk-verifications",
            "/v3/login/session",
        ] {
            assert_eq!(partner.get_with_session(&session, path).await.status, 200);
        }
        let headers = partner.organization_headers(&session);
        assert_eq!(
            partner.post("/v3/logout", &headers, json!({})).await.status,
            200
        );
    }
}

#[tokio::test]
async fn rows_include_private_fields() {
    let partner = Partner::of(3).await;
    let organizations = partner.get("/v3/partner/organizations").await;
    let row = &organizations.body["results"][0];
    for pointer in [
        "/taxId",
        "/companyOwner/dateOfBirth",
        "/companyOwner/name",
        "/phone",
        "/address/line1",
    ] {
        assert!(
            row.pointer(pointer)
                .is_some_and(|value| value.as_str().unwrap().len() > 3),
            "{pointer}"
        );
    }
    let session = partner.sign_in(row["id"].as_str().unwrap()).await;
    let banks = partner
        .get_with_session(&session, "/v3/funding-accounts/banks")
        .await;
    assert!(
        banks.body["results"][0]["accountNumber"]
            .as_str()
            .unwrap()
            .starts_with("************")
    );
    let payments = partner.get_with_session(&session, "/v3/payments").await;
    assert!(
        payments.body["results"][0]["remittanceEmail"]
            .as_str()
            .unwrap()
            .contains('@')
    );
}

#[tokio::test]
async fn every_error_response_matches_the_contract() {
    let partner = Partner::of(1).await;
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
        let kind = FaultKind::Status {
            status,
            code: Some(code.to_owned()),
            retry_after: None,
        };
        partner.sandbox.fault(Fault {
            endpoint: None,
            organization_id: None,
            kind,
            times: Some(3),
        });
        let answers = [
            partner.get("/v3/partner/organizations").await,
            partner.get_with_session(&session, "/v3/payments").await,
            partner.post("/v3/partner/login", &[], json!({})).await,
        ];
        assert!(
            answers
                .iter()
                .all(|answer| answer.status == status && answer.codes() == [code])
        );
    }
    let answer = partner.get("/v3/partner/users").await;
    assert_eq!((answer.status, answer.codes().len()), (400, 1));
    assert_eq!(partner.users("008NOWHERE").await.status, 422);
    let answer = partner
        .post(
            "/v3/partner/login-as-user",
            &partner.partner_headers(),
            json!({}),
        )
        .await;
    assert_eq!((answer.status, answer.codes().len()), (400, 2));
}

#[tokio::test]
async fn verification_not_started_returns_an_empty_object_or_404() {
    let partner = Partner::of(60).await;
    let population = partner.sandbox.population(start());
    let fresh = population
        .iter()
        .find(|row| row.scenario == "verification_not_started")
        .unwrap();
    let session = partner
        .sign_in(fresh.organization_id.as_ref().unwrap())
        .await;
    assert_eq!(
        partner
            .get_with_session(&session, "/v3/risk-verifications")
            .await
            .body,
        json!({})
    );
    let unstarted_verification = UnstartedVerification::NotFound;
    partner.sandbox.switches(Switches {
        unstarted_verification,
        ..Switches::default()
    });
    assert_eq!(
        partner
            .get_with_session(&session, "/v3/risk-verifications")
            .await
            .status,
        404
    );
}
