//! Request limits.

use futures::future::join_all;
use jiff::SignedDuration;
use sandbox::Switches;

use crate::support::{Partner, organization_with_payments};

const ORGANIZATIONS_PATH: &str = "/v3/partner/organizations";

#[tokio::test]
async fn fourth_concurrent_request_for_one_organization_is_bdc_1322() {
    let partner = Partner::with_organizations(1).await;
    for id in ["008A", "008B"] {
        partner
            .sandbox
            .put_organization(organization_with_payments(id, Vec::new()));
    }
    let (one, other) = (partner.sign_in("008A").await, partner.sign_in("008B").await);
    partner.sandbox.set_switches(Switches {
        latency_ms: 1_500,
        limit_status: 429,
        retry_after: Some(2),
        ..Switches::default()
    });

    let responses = join_all((0..5).map(|_| partner.get_with_session(&one, "/v3/payments")));
    let (responses, of_other_organization) =
        futures::join!(responses, partner.get_with_session(&other, "/v3/payments"));

    let rejected: Vec<_> = responses
        .iter()
        .filter(|response| response.status != 200)
        .collect();
    assert_eq!(rejected.len(), 2);
    for response in rejected {
        assert_eq!((response.status, response.codes()), (429, vec!["BDC_1322"]));
        assert_eq!(response.headers["retry-after"], "2");
    }
    assert_eq!(of_other_organization.status, 200);
    let statistics = partner.sandbox.statistics();
    assert_eq!(statistics.max_concurrent_by_organization["008A"], 5);
    assert_eq!(statistics.max_concurrent_by_organization["008B"], 1);
    let later = partner.get_with_session(&one, "/v3/payments").await;
    assert_eq!(later.status, 200);
}

#[tokio::test]
async fn list_users_counts_toward_the_organizations_concurrency_limit() {
    let partner = Partner::with_organizations(1).await;
    partner
        .sandbox
        .put_organization(organization_with_payments("008A", Vec::new()));
    let session = partner.sign_in("008A").await;
    partner.sandbox.set_switches(Switches {
        latency_ms: 1_500,
        concurrent_limit: 1,
        ..Switches::default()
    });

    let (users, payments) = futures::join!(
        partner.users("008A"),
        partner.get_with_session(&session, "/v3/payments")
    );

    let mut statuses = [users.status, payments.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422]);
}

#[tokio::test]
async fn requests_beyond_the_hourly_limit_are_bdc_1144_until_the_next_clock_hour() {
    let mut partner = Partner::with_switches(Switches {
        hourly_limit: 3,
        ..Switches::default()
    })
    .await;

    assert_eq!(partner.get(ORGANIZATIONS_PATH).await.status, 200);
    assert_eq!(partner.get(ORGANIZATIONS_PATH).await.status, 200);
    let response = partner.get(ORGANIZATIONS_PATH).await;
    assert_eq!((response.status, response.codes()), (422, vec!["BDC_1144"]));
    assert_eq!(
        response.body[0]["message"],
        "Max number of allowed requests per hour reached: 3."
    );
    assert!(response.headers.get("retry-after").is_none());

    // The clock started at the full hour. After 30 minutes it is in the same clock hour.
    partner.sandbox.advance(SignedDuration::from_mins(30));
    assert_eq!(partner.get(ORGANIZATIONS_PATH).await.codes(), ["BDC_1144"]);
    partner.sandbox.advance(SignedDuration::from_mins(30));
    partner.session = partner.partner_login().await;
    assert_eq!(partner.get(ORGANIZATIONS_PATH).await.status, 200);
}

#[tokio::test]
async fn login_as_user_counts_toward_the_hourly_login_limit_only_if_enabled() {
    let partner = Partner::with_organizations(1).await;
    partner
        .sandbox
        .put_organization(organization_with_payments("008A", Vec::new()));
    for _ in 0..201 {
        partner.sign_in("008A").await;
    }

    partner.sandbox.set_switches(Switches {
        limit_login_as_user: true,
        ..Switches::default()
    });
    let user = partner.first_user_id("008A");
    for _ in 0..200 {
        assert_eq!(partner.login_as_user(&user, "008A").await.status, 200);
    }
    assert_eq!(
        partner.login_as_user(&user, "008A").await.codes(),
        ["BDC_1144"]
    );
    assert_eq!(partner.get(ORGANIZATIONS_PATH).await.status, 200);

    partner.sandbox.advance(SignedDuration::from_mins(30));
    partner.get(ORGANIZATIONS_PATH).await;
    partner.sandbox.advance(SignedDuration::from_mins(30));
    assert_eq!(partner.login_as_user(&user, "008A").await.status, 200);
}
