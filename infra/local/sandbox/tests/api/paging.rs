//! Pages and page tokens of lists.

use std::collections::HashSet;

use rstest::rstest;
use sandbox::{Options, PaymentSeries, Population, Switches};
use serde_json::Value;

use crate::support::{
    ApiResponse, Partner, days_before_start, options, organization_with_payments,
};

const ORGANIZATIONS_PATH: &str = "/v3/partner/organizations";

/// The page of organizations that `link` (`nextPage` or `prevPage`) of another page refers to.
async fn follow(partner: &Partner, page: &ApiResponse, link: &str) -> ApiResponse {
    let token = page.body[link].as_str().unwrap();

    partner
        .get(&format!("{ORGANIZATIONS_PATH}?page={token}"))
        .await
}

#[tokio::test]
async fn page_size_defaults_to_20_and_follows_max() {
    let partner = Partner::with_organizations(120).await;

    for (query, rows) in [("", 20), ("?max=1", 1), ("?max=100", 100)] {
        let response = partner.get(&format!("{ORGANIZATIONS_PATH}{query}")).await;
        assert_eq!(response.ids().len(), rows);
    }
}

#[rstest]
#[case(7)]
#[case(20)]
#[case(100)]
#[tokio::test]
async fn pages_contain_every_row_exactly_once(#[case] max: usize) {
    let partner = Partner::with_organizations(120).await;
    let path = format!("{ORGANIZATIONS_PATH}?max={max}");

    let (rows, pages) = partner.all_pages(&path, &partner.partner_headers()).await;

    let ids: HashSet<&Value> = rows.iter().map(|row| &row["id"]).collect();
    assert_eq!(
        (rows.len(), ids.len(), pages),
        (120, 120, 120_usize.div_ceil(max))
    );
}

#[tokio::test]
async fn prev_page_returns_the_preceding_page() {
    let partner = Partner::with_organizations(60).await;

    let first = partner.get(ORGANIZATIONS_PATH).await;
    assert!(first.body.get("prevPage").is_none());
    let second = follow(&partner, &first, "nextPage").await;
    let previous = follow(&partner, &second, "prevPage").await;

    assert_eq!(previous.ids(), first.ids());
    assert_ne!(second.ids(), first.ids());
}

#[tokio::test]
async fn page_token_is_rejected_for_another_query() {
    let partner = Partner::with_organizations(60).await;
    let sorted = format!("{ORGANIZATIONS_PATH}?sort=createdTime:desc");
    let first = partner.get(&sorted).await;
    let token = first.body["nextPage"].as_str().unwrap();

    let same_query = partner.get(&format!("{sorted}&page={token}")).await;
    assert_eq!(same_query.status, 200);

    for query in [
        format!("page={token}"),
        format!("sort=name:asc&page={token}"),
        format!("page={token}00"),
    ] {
        let response = partner.get(&format!("{ORGANIZATIONS_PATH}?{query}")).await;
        assert_eq!(response.status, 400);
    }
}

#[tokio::test]
async fn empty_page_in_the_middle_has_a_next_page() {
    let switches = Switches {
        empty_page_every: Some(2),
        ..Switches::default()
    };
    let population = Population {
        organizations: 90,
        ..Population::default()
    };
    let partner = Partner::start(Options {
        switches,
        population,
        ..options()
    })
    .await;

    let (rows, pages) = partner
        .all_pages(ORGANIZATIONS_PATH, &partner.partner_headers())
        .await;
    assert_eq!((rows.len(), pages), (90, 9));

    let first = partner.get(ORGANIZATIONS_PATH).await;
    let second = follow(&partner, &first, "nextPage").await;
    assert!(second.ids().is_empty());
    let third = follow(&partner, &second, "nextPage").await;
    assert!(follow(&partner, &third, "prevPage").await.ids().is_empty());
    assert_eq!(
        follow(&partner, &second, "prevPage").await.ids(),
        first.ids()
    );
}

#[tokio::test]
async fn last_page_has_no_or_an_empty_next_page_token() {
    let partner = Partner::with_organizations(5).await;

    let page = partner.get(ORGANIZATIONS_PATH).await;
    assert!(page.body.get("nextPage").is_none());

    partner.sandbox.set_switches(Switches {
        empty_last_page_token: true,
        ..Switches::default()
    });
    assert_eq!(partner.get(ORGANIZATIONS_PATH).await.body["nextPage"], "");
}

#[tokio::test]
async fn a_list_of_10_000_pages_is_served() {
    let switches = Switches {
        organization_pages: Some(10_000),
        payment_pages: Some(10_000),
        ..Switches::default()
    };
    let partner = Partner::start(Options {
        switches,
        ..options()
    })
    .await
    .without_contract_checks();

    let mut page = String::new();
    for _ in 0..50 {
        let path = format!("{ORGANIZATIONS_PATH}?max=100&page={page}");
        let response = partner.get(&path).await;
        assert_eq!(response.rows().len(), 100);
        response.body["nextPage"]
            .as_str()
            .unwrap()
            .clone_into(&mut page);
    }

    let payments = vec![PaymentSeries::with_status("VOID", days_before_start(3))];
    partner
        .sandbox
        .put_organization(organization_with_payments("008A", payments));
    let session = partner.sign_in("008A").await;
    let response = partner
        .get_with_session(&session, "/v3/payments?max=100&sort=createdTime:desc")
        .await;
    assert_eq!(response.ids().len(), 100);
    assert!(response.body["nextPage"].is_string());
}

#[tokio::test]
async fn a_million_payments_are_served() {
    let partner = Partner::with_organizations(1).await;
    let payments =
        vec![PaymentSeries::with_status("CANCELLED", days_before_start(1)).repeated(1_000_000, 30)];
    partner
        .sandbox
        .put_organization(organization_with_payments("008A", payments));
    let session = partner.sign_in("008A").await;

    let first = partner
        .get_with_session(&session, "/v3/payments?max=100&sort=createdTime:desc")
        .await;

    assert_eq!(
        first.rows()[0]["createdTime"],
        "2026-09-14T10:00:00.000+00:00"
    );
    assert_eq!(
        first.rows()[1]["createdTime"],
        "2026-09-14T09:59:30.000+00:00"
    );
    assert_eq!(first.ids().len(), 100);
}
