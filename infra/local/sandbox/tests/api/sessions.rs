//! Log-ins, keys and sessions.

use jiff::SignedDuration;
use rstest::rstest;
use sandbox::{Options, Switches};
use serde_json::json;

use crate::support::{Partner, options, organization_with_payments, start};

#[tokio::test]
async fn a_wrong_password_or_user_name_is_bdc_1101() {
    let partner = Partner::of(1).await;
    let key = partner.sandbox.credentials().app_key.clone();
    let name = partner.sandbox.credentials().username.clone();
    for (username, password) in [
        (name.as_str(), "wrong"),
        ("nobody@example.com", "not-a-real-password"),
    ] {
        let body = json!({ "username": username, "password": password, "appKey": key });
        let answer = partner.post("/v3/partner/login", &[], body).await;
        assert_eq!((answer.status, answer.codes()), (401, vec!["BDC_1101"]));
    }
}

#[tokio::test]
async fn login_with_missing_fields_reports_each_field() {
    let partner = Partner::of(1).await;
    let answer = partner
        .post("/v3/partner/login", &[], json!({ "username": "someone" }))
        .await;
    assert_eq!((answer.status, answer.codes().len()), (400, 2));
    assert!(answer.text.contains("password:") && answer.text.contains("appKey:"));
}

#[tokio::test]
async fn wrong_keys_are_bdc_1102_with_the_configured_status() {
    let switches = Switches {
        bad_key_status: 400,
        bad_login_status: 422,
        ..Switches::default()
    };
    let partner = Partner::with_switches(switches).await;
    let organization = partner.sandbox.population(start())[0]
        .organization_id
        .clone()
        .unwrap();
    let session = partner.sign_in(&organization).await;

    let login = json!({ "username": "x", "password": "x", "appKey": "wrong" });
    let answer = partner.post("/v3/partner/login", &[], login).await;
    assert_eq!((answer.status, answer.codes()), (400, vec!["BDC_1102"]));
    let list = "/v3/partner/organizations";
    let answer = partner
        .get_with_headers(
            list,
            &[("sessionId", &partner.session), ("appKey", "wrong")],
        )
        .await;
    assert_eq!((answer.status, answer.codes()), (400, vec!["BDC_1102"]));
    let answer = partner
        .get_with_headers(
            "/v3/payments",
            &[("sessionId", &session), ("devKey", "wrong")],
        )
        .await;
    assert_eq!((answer.status, answer.codes()), (400, vec!["BDC_1102"]));
    let answer = partner
        .get_with_headers("/v3/payments", &[("sessionId", &session)])
        .await;
    assert_eq!((answer.status, answer.codes()), (400, vec!["BDC_1102"]));

    let key = partner.sandbox.credentials().app_key.clone();
    let login = json!({ "username": "x", "password": "x", "appKey": key });
    let answer = partner.post("/v3/partner/login", &[], login).await;
    assert_eq!((answer.status, answer.codes()), (422, vec!["BDC_1101"]));
}

#[tokio::test]
async fn missing_or_unknown_session_is_bdc_1109_with_bills_message() {
    let partner = Partner::of(1).await;
    let key = ("appKey", partner.sandbox.credentials().app_key.as_str());
    for headers in [
        vec![key],
        vec![key, ("sessionId", "unknown")],
        vec![key, ("sessionId", "")],
    ] {
        let answer = partner
            .get_with_headers("/v3/partner/organizations", &headers)
            .await;
        assert_eq!((answer.status, answer.codes()), (401, vec!["BDC_1109"]));
        assert_eq!(
            answer.body[0]["message"],
            "Session is invalid.  Please log in."
        );
    }
}

#[tokio::test]
async fn session_expires_after_35_idle_minutes_and_use_extends_it() {
    let partner = Partner::of(1).await;
    for _ in 0..3 {
        partner.sandbox.advance(SignedDuration::from_mins(34));
        assert_eq!(partner.get("/v3/partner/organizations").await.status, 200);
    }
    partner.sandbox.advance(SignedDuration::from_mins(35));
    let answer = partner.get("/v3/partner/organizations").await;
    assert_eq!((answer.status, answer.codes()), (401, vec!["BDC_1109"]));
}

#[tokio::test]
async fn organization_sessions_expire_too() {
    let partner = Partner::of(1).await;
    partner
        .sandbox
        .put_organization(organization_with_payments("008A", Vec::new()));
    let session = partner.sign_in("008A").await;
    assert_eq!(
        partner
            .get_with_session(&session, "/v3/payments")
            .await
            .status,
        200
    );
    partner.sandbox.advance(SignedDuration::from_mins(36));
    assert_eq!(
        partner
            .get_with_session(&session, "/v3/payments")
            .await
            .codes(),
        ["BDC_1109"]
    );
}

#[tokio::test]
async fn session_is_rejected_at_another_auth_level() {
    let partner = Partner::of(1).await;
    partner
        .sandbox
        .put_organization(organization_with_payments("008A", Vec::new()));
    let session = partner.sign_in("008A").await;
    assert_eq!(
        partner
            .get_with_session(&partner.session, "/v3/payments")
            .await
            .codes(),
        ["BDC_1109"]
    );
    let headers = [
        ("sessionId", session.as_str()),
        partner.partner_headers()[1],
    ];
    let answer = partner
        .get_with_headers("/v3/partner/organizations", &headers)
        .await;
    assert_eq!(answer.codes(), ["BDC_1109"]);
}

#[tokio::test]
async fn organization_session_is_limited_to_its_organization() {
    let partner = Partner::of(1).await;
    for id in ["008A", "008B"] {
        partner
            .sandbox
            .put_organization(organization_with_payments(id, Vec::new()));
    }
    let (one, other) = (partner.sign_in("008A").await, partner.sign_in("008B").await);
    let one_banks = partner
        .get_with_session(&one, "/v3/funding-accounts/banks")
        .await;
    let other_banks = partner
        .get_with_session(&other, "/v3/funding-accounts/banks")
        .await;
    assert_ne!(one_banks.ids(), other_banks.ids());
    // A header does not take a session elsewhere.
    let [session, key] = partner.organization_headers(&one);
    let headers = [session, key, ("organizationId", "008B")];
    let answer = partner
        .get_with_headers("/v3/funding-accounts/banks", &headers)
        .await;
    assert_eq!(answer.ids(), one_banks.ids());
    let session = partner.get_with_session(&one, "/v3/login/session").await;
    assert_eq!(session.body["organizationId"], "008A");
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
    let partner = Partner::of(1).await;
    let mut one = organization_with_payments("008A", Vec::new());
    one.users[0].id = "006own".to_owned();
    one.users.push(sandbox::User {
        id: "006former".to_owned(),
        archived: true,
        ..one.users[0].clone()
    });
    partner.sandbox.put_organization(one);
    partner
        .sandbox
        .put_organization(organization_with_payments("008B", Vec::new()));
    assert_eq!(partner.login_as_user("006own", "008A").await.status, 200);
    let answer = partner.login_as_user(user, organization).await;
    assert_eq!((answer.status, answer.codes().len()), (422, 1));
}

#[tokio::test]
async fn login_with_remember_me_id_and_device_returns_a_trusted_session() {
    let partner = Partner::of(1).await;
    partner
        .sandbox
        .put_organization(organization_with_payments("008A", Vec::new()));
    let user = partner.sandbox.organization("008A").unwrap().users[0]
        .id
        .clone();
    let body = json!({ "userId": user, "organizationId": "008A", "rememberMeId": "fake", "device": "Engagement worker" });
    let answer = partner
        .post(
            "/v3/partner/login-as-user",
            &partner.partner_headers(),
            body,
        )
        .await;
    assert_eq!(answer.body["trusted"], true);
    assert_eq!(
        partner.login_as_user(&user, "008A").await.body["trusted"],
        false
    );
}

#[tokio::test]
async fn log_out_ends_a_session_of_either_level() {
    let partner = Partner::of(1).await;
    partner
        .sandbox
        .put_organization(organization_with_payments("008A", Vec::new()));
    let session = partner.sign_in("008A").await;
    let headers = partner.organization_headers(&session);
    assert_eq!(
        partner.post("/v3/logout", &headers, json!({})).await.status,
        200
    );
    assert_eq!(
        partner
            .get_with_session(&session, "/v3/payments")
            .await
            .status,
        401
    );
    assert_eq!(
        partner
            .post("/v3/logout", &headers, json!({}))
            .await
            .codes(),
        ["BDC_1109"]
    );
    assert_eq!(
        partner
            .post("/v3/logout", &partner.partner_headers(), json!({}))
            .await
            .status,
        200
    );
    assert_eq!(partner.get("/v3/partner/organizations").await.status, 401);
}

#[tokio::test]
async fn an_unknown_path_or_method_is_bdc_1121() {
    let partner = Partner::of(1).await;
    let answer = partner.get("/v3/partner/nothing").await;
    assert_eq!((answer.status, answer.codes()), (404, vec!["BDC_1121"]));
    let answer = partner.post("/v3/payments", &[], json!({})).await;
    assert_eq!((answer.status, answer.codes()), (404, vec!["BDC_1121"]));
}

#[tokio::test]
async fn paths_are_served_under_any_prefix() {
    let partner = Partner::of(1).await;
    let root = partner
        .sandbox
        .url()
        .trim_end_matches("/connect")
        .to_owned();
    for prefix in ["", "/connect", "/some/where/else"] {
        let request = partner
            .http
            .get(format!("{root}{prefix}/v3/partner/organizations"));
        let [session, key] = partner.partner_headers();
        let answer = request
            .header(session.0, session.1)
            .header(key.0, key.1)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
    }
    for prefix in ["", "/connect"] {
        let answer = partner
            .http
            .get(format!("{root}{prefix}/_sandbox/clock"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
    }
}

#[tokio::test]
async fn a_dropped_sandbox_no_longer_listens() {
    let partner = Partner::with(Options { ..options() }).await;
    let (http, url) = (partner.http.clone(), partner.sandbox.url());
    drop(partner);
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert!(http.get(url).send().await.is_err());
}
