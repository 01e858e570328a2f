//! The parameters `sort` and `filters` of lists, and invalid parameters.

use std::collections::HashSet;

use rstest::rstest;
use sandbox::{BankAccount, PaymentSeries, Switches};

use crate::support::{Partner, days_before_start, organization_with_payments};

const ORGANIZATIONS_PATH: &str = "/v3/partner/organizations";
const BANK_ACCOUNTS_PATH: &str = "/v3/funding-accounts/banks";

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
    let partner = Partner::with_organizations(3).await;

    let response = partner.get(&format!("{ORGANIZATIONS_PATH}?{query}")).await;

    assert_eq!(
        (response.status, response.codes().len()),
        (400, errors),
        "{}",
        response.text
    );
}

#[rstest]
#[case("createdTime:asc", false)]
#[case("createdTime", false)]
#[case("createdTime:desc", true)]
#[tokio::test]
async fn rows_are_sorted_by_time(#[case] sort: &str, #[case] descending: bool) {
    let partner = Partner::with_organizations(30).await;
    // An organization out of order, so that the rows are not sorted already.
    partner
        .sandbox
        .put_organization(organization_with_payments("008A", Vec::new()));

    let response = partner
        .get(&format!("{ORGANIZATIONS_PATH}?max=100&sort={sort}"))
        .await;

    let times: Vec<&str> = response
        .rows()
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
    let partner = partner_with_three_bank_accounts().await;
    let session = partner.sign_in("008A").await;
    let path = format!("{BANK_ACCOUNTS_PATH}?sort=archived:asc,createdTime:desc");

    let response = partner.get_with_session(&session, &path).await;

    let statuses: Vec<_> = response.rows().iter().map(|row| &row["status"]).collect();
    assert_eq!(statuses, ["BLOCKED", "VERIFIED", "PENDING"]);
}

#[tokio::test]
async fn payments_are_sorted_newest_first_across_pages() {
    let partner = Partner::with_organizations(1).await;
    let payments = vec![
        PaymentSeries::paid(days_before_start(1)).repeated(150, 86_400),
        PaymentSeries::with_status("CANCELLED", days_before_start(2)).repeated(120, 86_400),
    ];
    partner
        .sandbox
        .put_organization(organization_with_payments("008A", payments));
    let session = partner.sign_in("008A").await;
    let headers = partner.organization_headers(&session);

    let (rows, pages) = partner
        .all_pages("/v3/payments?max=100&sort=createdTime:desc", &headers)
        .await;

    assert_eq!((rows.len(), pages), (270, 3));
    let times: Vec<&str> = rows
        .iter()
        .map(|row| row["createdTime"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted_by(|one, other| one >= other));
    let ids: HashSet<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 270);
    assert!(ids.iter().all(|id| id.starts_with("stp") && id.len() == 20));
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
    let partner = partner_with_three_bank_accounts().await;
    let session = partner.sign_in("008A").await;
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("filters", filters)
        .finish();

    let response = partner
        .get_with_session(&session, &format!("{BANK_ACCOUNTS_PATH}?{query}"))
        .await;

    assert_eq!(
        (response.status, response.ids().len()),
        (200, rows),
        "{}",
        response.text
    );
}

#[tokio::test]
async fn filters_with_an_invalid_value_or_operator_are_400() {
    let partner = Partner::with_organizations(1).await;
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
        let path = format!("{BANK_ACCOUNTS_PATH}?filters={filters}");
        let response = partner.get_with_session(&session, &path).await;
        assert_eq!(response.status, 400, "{filters}");
    }
}

#[tokio::test]
async fn organizations_are_filtered_by_id() {
    let partner = Partner::with_organizations(40).await;
    let found = async |query: String| {
        let response = partner.get(&format!("{ORGANIZATIONS_PATH}?{query}")).await;
        response
            .ids()
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let ids = found("max=40".to_owned()).await;
    let (third, fourth) = (&ids[2], &ids[3]);

    let found = async |filters: String| found(format!("filters={filters}&max=100")).await;
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
async fn archived_rows_are_omitted_without_list_archived() {
    let partner = Partner::with_organizations(60).await;
    let (organizations, _) = partner
        .all_pages(ORGANIZATIONS_PATH, &partner.partner_headers())
        .await;
    assert!(organizations.iter().any(|row| row["archived"] == true));

    partner.sandbox.set_switches(Switches {
        list_archived: false,
        ..Switches::default()
    });
    let (listed, _) = partner
        .all_pages(ORGANIZATIONS_PATH, &partner.partner_headers())
        .await;

    assert!(listed.len() < organizations.len());
    assert!(listed.iter().all(|row| row["archived"] == false));
    assert_eq!(
        partner.sandbox.expectations(days_before_start(0)).len(),
        listed.len()
    );
}

/// A partner with the customer `008A`, whose bank accounts are `PENDING` (archived, one day old),
/// `VERIFIED` (five days) and `BLOCKED` (three days).
async fn partner_with_three_bank_accounts() -> Partner {
    let account = |status: &str, days| BankAccount::new(status, days_before_start(days));
    let mut organization = organization_with_payments("008A", Vec::new());
    organization.bank_accounts = vec![
        account("PENDING", 1).archived(),
        account("VERIFIED", 5),
        account("BLOCKED", 3),
    ];

    let partner = Partner::with_organizations(1).await;
    partner.sandbox.put_organization(organization);

    partner
}
