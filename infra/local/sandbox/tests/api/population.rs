//! The generated customers.

use std::collections::{BTreeMap, BTreeSet};

use sandbox::{Expectation, Options, Population, Sandbox};
use serde_json::Value;

use crate::support::{Partner, options, start_time};

async fn expectations(population: Population) -> Vec<Expectation> {
    Sandbox::start(Options {
        population,
        ..options()
    })
    .await
    .unwrap()
    .expectations(start_time())
}

#[tokio::test]
async fn population_is_determined_by_the_seed() {
    let with_seed = |seed| {
        expectations(Population {
            organizations: 300,
            seed,
            bad_records: false,
        })
    };

    assert_eq!(with_seed(1).await, with_seed(1).await);
    let (one, other) = (with_seed(1).await, with_seed(2).await);
    assert!(
        one.iter()
            .zip(&other)
            .all(|(one, other)| one.organization_id != other.organization_id)
    );
}

#[tokio::test]
async fn a_larger_population_begins_like_a_smaller_one() {
    let ids = async |organizations| {
        expectations(Population {
            organizations,
            ..Population::default()
        })
        .await
        .into_iter()
        .map(|row| row.organization_id)
        .collect::<Vec<_>>()
    };

    let (small, large) = (ids(100).await, ids(500).await);

    assert_eq!(small, large[..100]);
}

#[tokio::test]
async fn the_first_sixty_organizations_show_every_stage_and_reason() {
    let population = expectations(Population {
        organizations: 60,
        ..Population::default()
    })
    .await;

    let stages_and_reasons: BTreeSet<(&str, &str)> = population
        .iter()
        .map(|row| {
            (
                row.expected_stage.as_deref().unwrap(),
                row.expected_reason.as_deref().unwrap(),
            )
        })
        .collect();
    let all = BTreeSet::from([
        ("active", "paid_recently"),
        ("awaiting_first_payment", "never_paid"),
        ("bank_unverified", "pending"),
        ("bank_unverified", "rejected"),
        ("closed", "archived"),
        ("closed", "declined"),
        ("dormant_30", "last_payment"),
        ("dormant_60", "last_payment"),
        ("dormant_90", "last_payment"),
        ("enrolling", "no_users"),
        ("enrolling", "verification_in_progress"),
        ("enrolling", "verification_not_started"),
        ("enrolling", "verification_on_hold"),
        ("no_bank_account", "none_connected"),
    ]);
    assert_eq!(stages_and_reasons, all);
    let scenarios: BTreeSet<&str> = population.iter().map(|row| row.scenario.as_str()).collect();
    assert!(scenarios.len() > 50, "{}", scenarios.len());
}

#[tokio::test]
async fn large_population_has_realistic_stage_proportions() {
    let population = expectations(Population {
        organizations: 5_000,
        ..Population::default()
    })
    .await;

    let mut stages: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &population {
        let stage = row.expected_stage.as_deref().unwrap();
        *stages.entry(stage).or_default() += 1;
    }
    assert_eq!(stages.len(), 9);
    assert!((1_800..2_800).contains(&stages["active"]), "{stages:?}");
    assert!(stages.values().all(|count| *count >= 80), "{stages:?}");
}

#[tokio::test]
async fn a_hundred_thousand_organizations_are_listed_and_found() {
    let partner = Partner::with_organizations(100_000).await;
    let path = "/v3/partner/organizations?max=100&sort=createdTime:desc";

    let page = partner.get(path).await;
    assert_eq!(page.ids().len(), 100);
    let newest = page.ids()[0];
    let found = partner.get(&format!("{path}&filters=id:eq:{newest}")).await;
    assert_eq!(found.ids(), [newest]);
}

#[tokio::test]
async fn bad_records_are_listed_first_if_enabled() {
    let good = expectations(Population {
        organizations: 300,
        ..Population::default()
    })
    .await;
    assert!(good.iter().all(|row| row.organization_id.is_some()));

    let partner = Partner::with_bad_records(80).await;
    let (rows, _) = partner
        .all_pages("/v3/partner/organizations", &partner.partner_headers())
        .await;
    assert!(rows[0].is_object() && rows[0].get("id").is_none());
    assert!(rows[1].is_string());
    let population = partner.sandbox.expectations(start_time());
    assert_eq!(population.len(), rows.len());
    assert_eq!(population[0].expected_stage, None);
    assert_eq!(population[1].organization_id, None);

    let rows_of = async |scenario: &str, path: &str| {
        let organization = population.iter().find(|row| row.scenario == scenario);
        let id = organization.unwrap().organization_id.as_deref().unwrap();
        let session = partner.sign_in(id).await;
        partner
            .get_with_session(&session, path)
            .await
            .rows()
            .to_vec()
    };
    let newest_first = "/v3/payments?sort=createdTime:desc";
    let payments = rows_of("payment_amount_as_text", newest_first).await;
    assert!(payments.iter().any(|payment| payment["amount"].is_string()));
    let payments = rows_of("payment_without_created_time", newest_first).await;
    assert!(payments[1].get("createdTime").is_none());
    let payments = rows_of("payment_not_an_object", newest_first).await;
    assert!(payments.iter().any(Value::is_string));
    let payments = rows_of("unknown_payment_status", newest_first).await;
    assert_eq!(payments[0]["status"], "TELEPORTED");
    let accounts = rows_of("unknown_bank_status", "/v3/funding-accounts/banks").await;
    assert_eq!(accounts[0]["status"], "UNDER_THE_MATTRESS");
}

#[tokio::test]
async fn names_include_special_characters_and_500_characters() {
    let partner = Partner::with_organizations(60).await;
    let path = "/v3/partner/organizations?max=100";
    let (rows, _) = partner.all_pages(path, &partner.partner_headers()).await;

    let names: Vec<&str> = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();

    for part in ["\"Copper\"", "O'Brien", "🥐", "<script>", "\r\nBcc:"] {
        assert!(names.iter().any(|name| name.contains(part)), "{part}");
    }
    assert!(names.iter().any(|name| name.chars().count() == 500));
}
