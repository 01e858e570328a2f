//! The list grammar.

use std::collections::HashSet;

use rstest::rstest;
use sandbox::{Bank, Options, Payments, Population, Switches};
use serde_json::Value;

use crate::support::{Partner, days_before_start, options, organization_with_payments};

const ORGANIZATIONS: &str = "/v3/partner/organizations";

#[tokio::test]
async fn page_size_defaults_to_20_and_follows_max() {
    let partner = Partner::of(120).await;
    for (query, rows) in [("", 20), ("?max=1", 1), ("?max=100", 100)] {
        let answer = partner.get(&format!("{ORGANIZATIONS}{query}")).await;
        assert_eq!(answer.ids().len(), rows);
    }
}

#[rstest]
#[case("max=0", 1)]
#[case("max=101", 1)]
#[case("max=-1", 1)]
#[case("max=many", 1)]
#[case("sort=taxId:asc", 1)]
#[case("sort=createdTime:sideways", 1)]
#[case("filters=taxId:eq:1", 1)]
#[case("filters=id:is:1", 1)]
#[case("filters=id:gt:1", 1)]
#[case("filters=id", 1)]
#[case("page=nonsense", 1)]
#[case("max=0&sort=taxId&filters=taxId:eq:1", 3)]
#[tokio::test]
async fn a_bad_parameter_is_400_with_one_error_per_field(
    #[case] query: &str,
    #[case] errors: usize,
) {
    let partner = Partner::of(3).await;
    let answer = partner.get(&format!("{ORGANIZATIONS}?{query}")).await;
    assert_eq!(
        (answer.status, answer.codes().len()),
        (400, errors),
        "{}",
        answer.text
    );
}

#[rstest]
#[case(7)]
#[case(20)]
#[case(100)]
#[tokio::test]
async fn pages_contain_every_row_exactly_once(#[case] max: usize) {
    let partner = Partner::of(120).await;
    let (rows, pages) = partner
        .all(
            &format!("{ORGANIZATIONS}?max={max}"),
            &partner.partner_headers(),
        )
        .await;
    let ids: HashSet<&Value> = rows.iter().map(|row| &row["id"]).collect();
    assert_eq!(
        (rows.len(), ids.len(), pages),
        (120, 120, 120_usize.div_ceil(max))
    );
}

#[tokio::test]
async fn prev_page_returns_the_preceding_page() {
    let partner = Partner::of(60).await;
    let first = partner.get(ORGANIZATIONS).await;
    assert!(first.body.get("prevPage").is_none());
    let next = first.body["nextPage"].as_str().unwrap();
    let second = partner.get(&format!("{ORGANIZATIONS}?page={next}")).await;
    let previous = second.body["prevPage"].as_str().unwrap();
    let again = partner
        .get(&format!("{ORGANIZATIONS}?page={previous}"))
        .await;
    assert_eq!(again.ids(), first.ids());
    assert_ne!(second.ids(), first.ids());
}

#[tokio::test]
async fn page_token_is_rejected_for_another_query() {
    let partner = Partner::of(60).await;
    let first = partner
        .get(&format!("{ORGANIZATIONS}?sort=createdTime:desc"))
        .await;
    let token = first.body["nextPage"].as_str().unwrap();
    let same = partner
        .get(&format!(
            "{ORGANIZATIONS}?sort=createdTime:desc&page={token}"
        ))
        .await;
    assert_eq!(same.status, 200);
    for query in [
        format!("page={token}"),
        format!("sort=name:asc&page={token}"),
        format!("page={token}00"),
    ] {
        assert_eq!(
            partner
                .get(&format!("{ORGANIZATIONS}?{query}"))
                .await
                .status,
            400
        );
    }
}

#[rstest]
#[case("createdTime:asc", false)]
#[case("createdTime", false)]
#[case("createdTime:desc", true)]
#[tokio::test]
async fn rows_are_sorted_by_time(#[case] sort: &str, #[case] descending: bool) {
    let partner = Partner::of(30).await;
    // One that is out of order, so that no list is sorted already.
    partner
        .sandbox
        .put_organization(organization_with_payments("008A", Vec::new()));
    let answer = partner
        .get(&format!("{ORGANIZATIONS}?max=100&sort={sort}"))
        .await;
    let times: Vec<&str> = answer.body["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["createdTime"].as_str().unwrap())
        .collect();
    let mut sorted = times.clone();
    sorted.sort_unstable();
    if descending {
        sorted.reverse();
    }
    assert_eq!(times, sorted);
    assert_eq!(times.len(), 31);
}

#[tokio::test]
async fn second_sort_field_breaks_ties() {
    let partner = Partner::of(1).await;
    let mut organization = organization_with_payments("008A", Vec::new());
    let bank = |status: &str, day| Bank::new(status, days_before_start(day));
    organization.banks = vec![
        bank("PENDING", 1).archived(),
        bank("VERIFIED", 5),
        bank("BLOCKED", 3),
    ];
    partner.sandbox.put_organization(organization);
    let session = partner.sign_in("008A").await;
    let path = "/v3/funding-accounts/banks?sort=archived:asc,createdTime:desc";
    let answer = partner.get_with_session(&session, path).await;
    let statuses: Vec<&Value> = answer.body["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["status"])
        .collect();
    assert_eq!(statuses, ["BLOCKED", "VERIFIED", "PENDING"]);
}

#[rstest]
#[case("status:eq:VERIFIED", 1)]
#[case("status:eq:\"VERIFIED\"", 1)]
#[case("status:ne:VERIFIED", 2)]
#[case("status:in:\"VERIFIED,BLOCKED\"", 2)]
#[case("status:in:[\"VERIFIED\",\"BLOCKED\"]", 2)]
#[case("status:nin:\"VERIFIED,BLOCKED\"", 1)]
#[case("archived:eq:true", 1)]
#[case("archived:ne:true", 2)]
#[case("createdTime:gt:\"2026-09-10T10:00:00.000+00:00\"", 2)]
#[case("createdTime:gte:\"2026-09-10T10:00:00.000+00:00\"", 3)]
#[case("createdTime:gte:\"2026-09-10T12:00:00.000+02:00\"", 3)]
#[case("createdTime:lt:\"2026-09-12\"", 1)]
#[case("createdTime:lte:\"2026-09-12T10:00:00Z\"", 2)]
#[case("archived:eq:false,status:in:\"PENDING,BLOCKED\"", 1)]
#[case("createdTime:gt:\"2026-09-11\",createdTime:lt:\"2026-09-13\"", 1)]
#[tokio::test]
async fn filters_select_rows(#[case] filters: &str, #[case] rows: usize) {
    let partner = Partner::of(1).await;
    let mut organization = organization_with_payments("008A", Vec::new());
    let bank = |status: &str, day| Bank::new(status, days_before_start(day));
    organization.banks = vec![
        bank("PENDING", 1).archived(),
        bank("VERIFIED", 5),
        bank("BLOCKED", 3),
    ];
    partner.sandbox.put_organization(organization);
    let session = partner.sign_in("008A").await;
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("filters", filters)
        .finish();
    let answer = partner
        .get_with_session(&session, &format!("/v3/funding-accounts/banks?{query}"))
        .await;
    assert_eq!(
        (answer.status, answer.ids().len()),
        (200, rows),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn filters_with_an_invalid_value_or_operator_are_400() {
    let partner = Partner::of(1).await;
    partner
        .sandbox
        .put_organization(organization_with_payments("008A", Vec::new()));
    let session = partner.sign_in("008A").await;
    for filters in [
        "archived:eq:maybe",
        "createdTime:gt:yesterday",
        "status:sw:V",
        "createdTime:eq:2026-01-01",
    ] {
        let path = format!("/v3/funding-accounts/banks?filters={filters}");
        assert_eq!(
            partner.get_with_session(&session, &path).await.status,
            400,
            "{filters}"
        );
    }
}

#[tokio::test]
async fn organizations_are_filtered_by_id() {
    let partner = Partner::of(40).await;
    let ids: Vec<String> = partner
        .get(&format!("{ORGANIZATIONS}?max=40"))
        .await
        .ids()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let (third, fourth) = (&ids[2], &ids[3]);
    let found = |filters: String| {
        let partner = &partner;
        async move {
            let answer = partner
                .get(&format!("{ORGANIZATIONS}?filters={filters}&max=100"))
                .await;
            answer
                .ids()
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(found(format!("id:eq:{third}")).await, [third.as_str()]);
    assert_eq!(
        found(format!("id:eq:%22{third}%22")).await,
        [third.as_str()]
    );
    assert_eq!(
        found(format!("id:in:%22{third},{fourth}%22")).await,
        [third.clone(), fourth.clone()]
    );
    assert_eq!(
        found(format!("id:sw:%22{}%22", &third[..12])).await,
        [third.as_str()]
    );
    assert_eq!(found(format!("id:ne:%22{third}%22")).await.len(), 39);
    assert!(found("id:eq:%22008nowhere%22".to_owned()).await.is_empty());
}

#[tokio::test]
async fn payments_are_sorted_newest_first_across_pages() {
    let partner = Partner::of(1).await;
    let runs = vec![
        Payments::paid(days_before_start(1)).repeated(150, 86_400),
        Payments::with_status("CANCELLED", days_before_start(2)).repeated(120, 86_400),
    ];
    partner
        .sandbox
        .put_organization(organization_with_payments("008A", runs));
    let session = partner.sign_in("008A").await;
    let headers = partner.organization_headers(&session);
    let (rows, pages) = partner
        .all("/v3/payments?max=100&sort=createdTime:desc", &headers)
        .await;
    assert_eq!((rows.len(), pages), (270, 3));
    assert!(rows.is_sorted_by(|one, other| one["createdTime"].as_str() >= other["createdTime"].as_str()));
    let ids: HashSet<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 270);
    assert!(ids.iter().all(|id| id.starts_with("stp") && id.len() == 20));
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
    let partner = Partner::with(Options {
        switches,
        population,
        ..options()
    })
    .await;
    let (rows, pages) = partner.all(ORGANIZATIONS, &partner.partner_headers()).await;
    assert_eq!((rows.len(), pages), (90, 9));
    let first = partner.get(ORGANIZATIONS).await;
    let next = first.body["nextPage"].as_str().unwrap();
    let second = partner.get(&format!("{ORGANIZATIONS}?page={next}")).await;
    assert!(second.ids().is_empty());
    let third = second.body["nextPage"].as_str().unwrap();
    let third = partner.get(&format!("{ORGANIZATIONS}?page={third}")).await;
    let back = third.body["prevPage"].as_str().unwrap();
    assert!(
        partner
            .get(&format!("{ORGANIZATIONS}?page={back}"))
            .await
            .ids()
            .is_empty()
    );
    let back = second.body["prevPage"].as_str().unwrap();
    assert_eq!(
        partner
            .get(&format!("{ORGANIZATIONS}?page={back}"))
            .await
            .ids(),
        first.ids()
    );
}

#[tokio::test]
async fn last_page_has_no_or_an_empty_next_page_token() {
    let partner = Partner::of(5).await;
    assert!(
        partner
            .get(ORGANIZATIONS)
            .await
            .body
            .get("nextPage")
            .is_none()
    );
    partner.sandbox.switches(Switches {
        empty_last_page_token: true,
        ..Switches::default()
    });
    assert_eq!(partner.get(ORGANIZATIONS).await.body["nextPage"], "");
}

#[tokio::test]
async fn archived_rows_are_omitted_without_list_archived() {
    let partner = Partner::of(60).await;
    let organizations = partner
        .all(ORGANIZATIONS, &partner.partner_headers())
        .await
        .0;
    assert!(organizations.iter().any(|row| row["archived"] == true));
    partner.sandbox.switches(Switches {
        list_archived: false,
        ..Switches::default()
    });
    let listed = partner
        .all(ORGANIZATIONS, &partner.partner_headers())
        .await
        .0;
    assert!(
        listed.len() < organizations.len() && listed.iter().all(|row| row["archived"] == false)
    );
    assert_eq!(
        partner.sandbox.population(days_before_start(0)).len(),
        listed.len()
    );
}

#[tokio::test]
async fn a_list_of_10_000_pages_is_served() {
    let switches = Switches {
        organization_pages: Some(10_000),
        payment_pages: Some(10_000),
        ..Switches::default()
    };
    let partner = Partner::with(Options {
        switches,
        ..options()
    })
    .await
    .without_contract_checks();
    let mut page = String::new();
    for _ in 0..50 {
        let answer = partner
            .get(&format!("{ORGANIZATIONS}?max=100&page={page}"))
            .await;
        assert_eq!(answer.body["results"].as_array().unwrap().len(), 100);
        answer.body["nextPage"]
            .as_str()
            .unwrap()
            .clone_into(&mut page);
    }
    partner.sandbox.put_organization(organization_with_payments(
        "008A",
        vec![Payments::with_status("VOID", days_before_start(3))],
    ));
    let session = partner.sign_in("008A").await;
    let answer = partner
        .get_with_session(&session, "/v3/payments?max=100&sort=createdTime:desc")
        .await;
    assert_eq!(answer.ids().len(), 100);
    assert!(answer.body["nextPage"].is_string());
}

#[tokio::test]
async fn a_million_payments_are_served() {
    let partner = Partner::of(1).await;
    let runs =
        vec![Payments::with_status("CANCELLED", days_before_start(1)).repeated(1_000_000, 30)];
    partner
        .sandbox
        .put_organization(organization_with_payments("008A", runs));
    let session = partner.sign_in("008A").await;
    let first = partner
        .get_with_session(&session, "/v3/payments?max=100&sort=createdTime:desc")
        .await;
    assert_eq!(
        first.body["results"][0]["createdTime"],
        "2026-09-14T10:00:00.000+00:00"
    );
    assert_eq!(
        first.body["results"][1]["createdTime"],
        "2026-09-14T09:59:30.000+00:00"
    );
    assert_eq!(first.ids().len(), 100);
}
