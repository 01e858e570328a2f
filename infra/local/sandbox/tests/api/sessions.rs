//! Logins, keys, sessions and paths.

use jiff::SignedDuration;
use rstest::rstest;
use sandbox::{Switches, User};
use serde_json::json;

use crate::support::{Partner, options, organization_with_payments, start_time};

const ORGANIZATIONS_PATH: &str = "/v3/partner/organizations";

/// A partner with the customer `008A`.
async fn partner_with_customer() -> Partner {
    let partner = Partner::with_organizations(1).await;
    partner
        .sandbox
        .put_organization(organization_with_payments("008A", Vec::new()));

    partner
}

#[tokio::test]
async fn a_wrong_password_or_user_name_is_bdc_1101() {
    let partner = Partner::with_organizations(1).await;
    let key = partner.sandbox.credentials().app_key.clone();
    let name = partner.sandbox.credentials().username.clone();

    for (username, password) in [
        (name.as_str(), "wrong"),
        ("nobody@example.com", "not-a-real-password"),
    ] {
        let body = json!({ "username": username, "password": password, "appKey": key });
        let response = partner.post("/v3/partner/login", &[], body).await;
        assert_eq!((response.status, response.codes()), (401, vec!["BDC_1101"]));
    }
}

#[tokio::test]
async fn login_with_missing_fields_reports_each_field() {
    let partner = Partner::with_organizations(1).await;

    let response = partner
        .post("/v3/partner/login", &[], json!({ "username": "someone" }))
        .await;

    assert_eq!((response.status, response.codes().len()), (400, 2));
    assert!(response.text.contains("password:") && response.text.contains("appKey:"));
}

#[tokio::test]
async fn wrong_keys_are_bdc_1102_with_the_configured_status() {
    let partner = Partner::with_switches(Switches {
        bad_key_status: 400,
        bad_login_status: 422,
        ..Switches::default()
    })
    .await;
    let organization = partner.sandbox.expectations(start_time())[0]
        .organization_id
        .clone()
        .unwrap();
    let session = partner.sign_in(&organization).await;

    let login = json!({ "username": "x", "password": "x", "appKey": "wrong" });
    let response = partner.post("/v3/partner/login", &[], login).await;
    assert_eq!((response.status, response.codes()), (400, vec!["BDC_1102"]));

    for (path, headers) in [
        (
            ORGANIZATIONS_PATH,
            vec![("sessionId", partner.session.as_str()), ("appKey", "wrong")],
        ),
        (
            "/v3/payments",
            vec![("sessionId", session.as_str()), ("devKey", "wrong")],
        ),
        ("/v3/payments", vec![("sessionId", session.as_str())]),
    ] {
        let response = partner.get_with_headers(path, &headers).await;
        assert_eq!((response.status, response.codes()), (400, vec!["BDC_1102"]));
    }

    let key = partner.sandbox.credentials().app_key.clone();
    let login = json!({ "username": "x", "password": "x", "appKey": key });
    let response = partner.post("/v3/partner/login", &[], login).await;
    assert_eq!((response.status, response.codes()), (422, vec!["BDC_1101"]));
}

#[tokio::test]
async fn missing_or_unknown_session_is_bdc_1109_with_bills_message() {
    let partner = Partner::with_organizations(1).await;
    let key = ("appKey", partner.sandbox.credentials().app_key.as_str());

    for headers in [
        vec![key],
        vec![key, ("sessionId", "unknown")],
        vec![key, ("sessionId", "")],
    ] {
        let response = partner.get_with_headers(ORGANIZATIONS_PATH, &headers).await;
        assert_eq!((response.status, response.codes()), (401, vec!["BDC_1109"]));
        assert_eq!(
            response.body[0]["message"],
            "Session is invalid.  Please log in."
        );
    }
}

#[tokio::test]
async fn session_expires_after_35_idle_minutes_and_use_extends_it() {
    let partner = Partner::with_organizations(1).await;

    for _ in 0..3 {
        partner.sandbox.advance(SignedDuration::from_mins(34));
        assert_eq!(partner.get(ORGANIZATIONS_PATH).await.status, 200);
    }
    partner.sandbox.advance(SignedDuration::from_mins(35));
    let response = partner.get(ORGANIZATIONS_PATH).await;

    assert_eq!((response.status, response.codes()), (401, vec!["BDC_1109"]));
}

#[tokio::test]
async fn organization_sessions_expire_too() {
    let partner = partner_with_customer().await;
    let session = partner.sign_in("008A").await;

    let response = partner.get_with_session(&session, "/v3/payments").await;
    assert_eq!(response.status, 200);
    partner.sandbox.advance(SignedDuration::from_mins(36));
    let response = partner.get_with_session(&session, "/v3/payments").await;
    assert_eq!(response.codes(), ["BDC_1109"]);
}

#[tokio::test]
async fn session_is_rejected_at_another_auth_level() {
    let partner = partner_with_customer().await;
    let session = partner.sign_in("008A").await;

    let response = partner
        .get_with_session(&partner.session, "/v3/payments")
        .await;
    assert_eq!(response.codes(), ["BDC_1109"]);

    let [_, app_key] = partner.partner_headers();
    let headers = [("sessionId", session.as_str()), app_key];
    let response = partner.get_with_headers(ORGANIZATIONS_PATH, &headers).await;
    assert_eq!(response.codes(), ["BDC_1109"]);
}

#[tokio::test]
async fn organization_session_is_limited_to_its_organization() {
    let partner = partner_with_customer().await;
    partner
        .sandbox
        .put_organization(organization_with_payments("008B", Vec::new()));
    let (one, other) = (partner.sign_in("008A").await, partner.sign_in("008B").await);
    let path = "/v3/funding-accounts/banks";

    let accounts_of_one = partner.get_with_session(&one, path).await;
    let accounts_of_other = partner.get_with_session(&other, path).await;
    assert_ne!(accounts_of_one.ids(), accounts_of_other.ids());

    // The header `organizationId` has no effect on an organization session.
    let [session, key] = partner.organization_headers(&one);
    let headers = [session, key, ("organizationId", "008B")];
    let response = partner.get_with_headers(path, &headers).await;
    assert_eq!(response.ids(), accounts_of_one.ids());

    let info = partner.get_with_session(&one, "/v3/login/session").await;
    assert_eq!(info.body["organizationId"], "008A");
}

#[rstest]
#[case::unknown("006nobody", "008A")]
#[case::archived("006former", "008A")]
#[case::of_another_organization("006own", "008B")]
#[case::of_an_unknown_organization("006own", "008nowhere")]
#[tokio::test]
async fn a_user_who_cannot_sign_in_is_refused_with_422(
    #[case] user: &str,
    #[case] organization: &str,
) {
    let mut one = organization_with_payments("008A", Vec::new());
    one.users[0].id = "006own".to_owned();
    one.users.push(User {
        id: "006former".to_owned(),
        archived: true,
        ..one.users[0].clone()
    });
    let partner = Partner::with_organizations(1).await;
    partner.sandbox.put_organization(one);
    partner
        .sandbox
        .put_organization(organization_with_payments("008B", Vec::new()));

    assert_eq!(partner.login_as_user("006own", "008A").await.status, 200);
    let response = partner.login_as_user(user, organization).await;
    assert_eq!((response.status, response.codes().len()), (422, 1));
}

#[tokio::test]
async fn login_with_remember_me_id_and_device_returns_a_trusted_session() {
    let partner = partner_with_customer().await;
    let user = partner.first_user_id("008A");
    let body = json!({
        "userId": user,
        "organizationId": "008A",
        "rememberMeId": "fake",
        "device": "Engagement worker",
    });

    let remembered = partner
        .post(
            "/v3/partner/login-as-user",
            &partner.partner_headers(),
            body,
        )
        .await;
    let other = partner.login_as_user(&user, "008A").await;

    assert_eq!(remembered.body["trusted"], true);
    assert_eq!(other.body["trusted"], false);
}

#[tokio::test]
async fn logout_ends_a_session_of_either_level() {
    let partner = partner_with_customer().await;
    let session = partner.sign_in("008A").await;
    let headers = partner.organization_headers(&session);

    let response = partner.post("/v3/logout", &headers, json!({})).await;
    assert_eq!(response.status, 200);
    let response = partner.get_with_session(&session, "/v3/payments").await;
    assert_eq!(response.status, 401);
    let response = partner.post("/v3/logout", &headers, json!({})).await;
    assert_eq!(response.codes(), ["BDC_1109"]);

    let headers = partner.partner_headers();
    let response = partner.post("/v3/logout", &headers, json!({})).await;
    assert_eq!(response.status, 200);
    assert_eq!(partner.get(ORGANIZATIONS_PATH).await.status, 401);
}

#[tokio::test]
async fn an_unknown_path_or_method_is_bdc_1121() {
    let partner = Partner::with_organizations(1).await;

    let response = partner.get("/v3/partner/nothing").await;
    assert_eq!((response.status, response.codes()), (404, vec!["BDC_1121"]));
    let response = partner.post("/v3/payments", &[], json!({})).await;
    assert_eq!((response.status, response.codes()), (404, vec!["BDC_1121"]));
}

#[tokio::test]
async fn paths_are_served_under_any_prefix() {
    let partner = Partner::with_organizations(1).await;
    let root = partner
        .sandbox
        .url()
        .trim_end_matches("/connect")
        .to_owned();

    for prefix in ["", "/connect", "/some/where/else"] {
        let [session, key] = partner.partner_headers();
        let response = partner
            .http
            .get(format!("{root}{prefix}{ORGANIZATIONS_PATH}"))
            .header(session.0, session.1)
            .header(key.0, key.1)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
    }

    for prefix in ["", "/connect"] {
        let url = format!("{root}{prefix}/_sandbox/clock");
        let response = partner.http.get(url).send().await.unwrap();
        assert_eq!(response.status(), 200);
    }
}

#[tokio::test]
async fn a_dropped_sandbox_no_longer_listens() {
    let partner = Partner::start(options()).await;
    let (http, url) = (partner.http.clone(), partner.sandbox.url());

    drop(partner);
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;

    assert!(http.get(url).send().await.is_err());
}
