//! Who the customers are, and what is expected of them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use sandbox::{Bank, Expectation, Options, Payments, Population, Sandbox, User, Verification};
use serde_json::Value;

use crate::support::{Partner, days_before_start, options, organization_with_payments, start};

async fn expectations(population: Population) -> Vec<Expectation> {
    Sandbox::start(Options {
        population,
        ..options()
    })
    .await
    .unwrap()
    .population(start())
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
    let with_size = |organizations| {
        expectations(Population {
            organizations,
            ..Population::default()
        })
    };
    let (small, large) = (with_size(100).await, with_size(500).await);
    let ids = |rows: &[Expectation]| {
        rows.iter()
            .map(|row| row.organization_id.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&small), ids(&large[..100]));
}

#[tokio::test]
async fn the_first_sixty_organizations_show_every_stage_and_reason() {
    let population = expectations(Population {
        organizations: 60,
        ..Population::default()
    })
    .await;
    let seen: BTreeSet<(&str, &str)> = population
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
    assert_eq!(seen, all);
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
        *stages
            .entry(row.expected_stage.as_deref().unwrap())
            .or_default() += 1;
    }
    assert_eq!(stages.len(), 9);
    assert!((1_800..2_800).contains(&stages["active"]), "{stages:?}");
    assert!(stages.values().all(|count| *count >= 80), "{stages:?}");
}

#[tokio::test]
async fn a_hundred_thousand_organizations_are_listed_and_found() {
    let partner = Partner::of(100_000).await;
    let list = "/v3/partner/organizations?max=100&sort=createdTime:desc";
    let newest = partner.get(list).await;
    assert_eq!(newest.ids().len(), 100);
    let youngest = newest.ids()[0];
    assert_eq!(
        partner
            .get(&format!("{list}&filters=id:eq:{youngest}"))
            .await
            .ids(),
        [youngest]
    );
}

#[tokio::test]
async fn bad_records_are_listed_first_if_enabled() {
    let usual = expectations(Population {
        organizations: 300,
        ..Population::default()
    })
    .await;
    assert!(usual.iter().all(|row| row.organization_id.is_some()));
    let partner = Partner::with_bad_records(80).await;
    let (rows, _) = partner
        .all("/v3/partner/organizations", &partner.partner_headers())
        .await;
    assert!(rows[0].is_object() && rows[0].get("id").is_none());
    assert!(rows[1].is_string());
    let population = partner.sandbox.population(start());
    assert_eq!(population.len(), rows.len());
    assert_eq!(
        (
            &population[0].expected_stage,
            &population[1].organization_id
        ),
        (&None, &None)
    );

    let row = |scenario: &str, path: &'static str| {
        let found = population
            .iter()
            .find(|row| row.scenario == scenario)
            .unwrap();
        let id = found.organization_id.clone().unwrap();
        let partner = &partner;
        async move {
            let session = partner.sign_in(&id).await;
            partner.get_with_session(&session, path).await.body["results"]
                .as_array()
                .unwrap()
                .clone()
        }
    };
    let newest = "/v3/payments?sort=createdTime:desc";
    assert!(
        row("payment_amount_as_text", newest)
            .await
            .iter()
            .any(|payment| payment["amount"].is_string())
    );
    assert!(
        row("payment_without_created_time", newest).await[1]
            .get("createdTime")
            .is_none()
    );
    assert!(
        row("payment_not_an_object", newest)
            .await
            .iter()
            .any(Value::is_string)
    );
    assert_eq!(
        row("unknown_payment_status", newest).await[0]["status"],
        "TELEPORTED"
    );
    let banks = "/v3/funding-accounts/banks";
    assert_eq!(
        row("unknown_bank_status", banks).await[0]["status"],
        "UNDER_THE_MATTRESS"
    );
}

#[tokio::test]
async fn names_include_special_characters_and_500_characters() {
    let partner = Partner::of(60).await;
    let (rows, _) = partner
        .all(
            "/v3/partner/organizations?max=100",
            &partner.partner_headers(),
        )
        .await;
    let names: Vec<&str> = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    for part in ["\"Copper\"", "O'Brien", "🥐", "<script>", "\r\nBcc:"] {
        assert!(names.iter().any(|name| name.contains(part)), "{part}");
    }
    assert!(names.iter().any(|name| name.chars().count() == 500));
}

#[rstest]
#[case::exactly_30_days(Payments::paid(days_before_start(30)), "dormant_30")]
#[case::a_second_less(Payments::paid(days_before_start(30) + SignedDuration::from_secs(1)), "active")]
#[case::exactly_60_days(Payments::paid(days_before_start(60)), "dormant_60")]
#[case::exactly_90_days(Payments::paid(days_before_start(90)), "dormant_90")]
#[case::in_the_future(Payments::paid(days_before_start(-3)), "active")]
#[case::cancelled(
    Payments::with_status("CANCELLED", days_before_start(1)),
    "awaiting_first_payment"
)]
#[case::of_unknown_status(Payments::with_status("TELEPORTED", days_before_start(1)), "active")]
#[case::outside_bill(Payments { online: Some(false), ..Payments::paid(days_before_start(1)) }, "awaiting_first_payment")]
#[tokio::test]
async fn newest_counted_payment_determines_the_expected_stage(
    #[case] payment: Payments,
    #[case] stage: &str,
) {
    assert_eq!(
        expected_stage_of(
            |organization| organization.payments = vec![payment],
            start()
        )
        .await
        .0,
        stage
    );
}

#[tokio::test]
async fn only_the_newest_1000_payments_are_considered() {
    for (cancelled, stage) in [(999, "active"), (1_000, "awaiting_first_payment")] {
        let runs = vec![
            Payments::with_status("CANCELLED", days_before_start(1)).repeated(cancelled, 60),
            Payments::paid(days_before_start(20)),
        ];
        assert_eq!(
            expected_stage_of(|organization| organization.payments = runs, start())
                .await
                .0,
            stage
        );
    }
}

#[rstest]
#[case::verified(vec![Bank::new("VERIFIED", days_before_start(50))], "awaiting_first_payment", "never_paid")]
#[case::none(vec![], "no_bank_account", "none_connected")]
#[case::verified_but_archived(vec![Bank::new("VERIFIED", days_before_start(5)).archived()], "no_bank_account", "none_connected")]
#[case::young_and_pending(vec![Bank::new("PENDING", days_before_start(29)).archived()], "bank_unverified", "pending")]
#[case::old_and_pending(vec![Bank::new("PENDING", days_before_start(30)).archived()], "no_bank_account", "none_connected")]
#[case::all_rejected(vec![Bank::new("BLOCKED", days_before_start(3)), Bank::new("EXPIRED", days_before_start(3))], "bank_unverified", "rejected")]
#[case::one_pending(vec![Bank::new("BLOCKED", days_before_start(3)), Bank::new("PENDING", days_before_start(3))], "bank_unverified", "pending")]
#[tokio::test]
async fn bank_accounts_determine_the_expected_stage(
    #[case] banks: Vec<Bank>,
    #[case] stage: &str,
    #[case] reason: &str,
) {
    let change = |organization: &mut sandbox::Organization| {
        organization.banks = banks;
        organization.verification = Some(Verification::new("APPROVE"));
    };
    assert_eq!(
        expected_stage_of(change, start()).await,
        (stage.to_owned(), reason.to_owned())
    );
}

#[tokio::test]
async fn active_organization_becomes_dormant_over_time() {
    let after = |days: i64| start() + SignedDuration::from_hours(24 * days);
    for (days, stage) in [
        (0, "active"),
        (19, "active"),
        (20, "dormant_30"),
        (50, "dormant_60"),
        (80, "dormant_90"),
    ] {
        let payments = vec![Payments::paid(days_before_start(10))];
        assert_eq!(
            expected_stage_of(|organization| organization.payments = payments, after(days))
                .await
                .0,
            stage
        );
    }
}

#[tokio::test]
async fn recipients_are_the_three_oldest_administrators_with_distinct_addresses() {
    let administrator = |email: &str, day| User::administrator(email, days_before_start(day));
    let recipients = |users: Vec<User>| async {
        let sandbox = Sandbox::start(options()).await.unwrap();
        sandbox.put_organization(sandbox::Organization {
            users,
            ..organization_with_payments("008A", Vec::new())
        });
        sandbox
            .population(start())
            .pop()
            .unwrap()
            .expected_recipients
    };
    let former = User {
        archived: true,
        ..administrator("z@x.example", 99)
    };
    let silent = User {
        email: None,
        ..administrator("", 98)
    };
    let users = vec![
        administrator("d@x.example", 1),
        administrator("c@x.example", 2),
        administrator("A@x.example", 3),
        administrator("a@x.example", 4),
        administrator("b@x.example", 5),
        User::new("CLERK", "clerk@x.example", days_before_start(50)),
        former.clone(),
        silent.clone(),
    ];
    assert_eq!(
        recipients(users).await,
        ["b@x.example", "a@x.example", "c@x.example"]
    );
    let clerks = vec![
        User::new("PAYER", "p@x.example", days_before_start(5)),
        User::new("CLERK", "q@x.example", days_before_start(6)),
    ];
    assert_eq!(
        recipients([clerks, vec![former, silent.clone()]].concat()).await,
        ["q@x.example"]
    );
    assert!(recipients(vec![silent]).await.is_empty());
}

/// The expected stage and reason of an otherwise ordinary organization.
async fn expected_stage_of(
    change: impl FnOnce(&mut sandbox::Organization),
    as_of: Timestamp,
) -> (String, String) {
    let sandbox = Sandbox::start(options()).await.unwrap();
    let mut organization = organization_with_payments("008A", Vec::new());
    change(&mut organization);
    sandbox.put_organization(organization);
    let expectation = sandbox.population(as_of).pop().unwrap();
    (
        expectation.expected_stage.unwrap(),
        expectation.expected_reason.unwrap(),
    )
}
