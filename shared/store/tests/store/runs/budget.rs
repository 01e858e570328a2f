//! The hourly budget: concurrent callers never exceed the limit.

use futures::future::join_all;
use store::{BudgetAmount, HourlyLimits};

use crate::{
    fixtures::at,
    scripted::{ScriptedDynamoDb, internal_server_error, ok_response},
    tables::{Tables, assert_items, behaviours},
};

const NOW: &str = "2026-11-23T06:59:59Z";
const NEXT_HOUR: &str = "2026-11-23T07:00:00Z";
const LIMITS: HourlyLimits = HourlyLimits {
    requests_per_hour: 100,
    sign_ins_per_hour: None,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_budget_of_an_hour_is_never_exceeded() {
    behaviours![
        twenty_concurrent_reservations_stay_within_the_limit,
        sign_ins_have_a_limit_of_their_own,
        more_than_the_limit_is_never_reserved,
        a_reservation_is_settled_up_and_down,
        another_hour_has_another_budget,
        a_closed_hour_grants_no_reservation,
        requests_without_a_reservation_count_too,
    ];
}

async fn twenty_concurrent_reservations_stay_within_the_limit(tables: &Tables) {
    let runs = tables.runs();
    let reservations = join_all((0..20).map(|_| runs.reserve(at(NOW), amount(7, 0), LIMITS))).await;

    let granted = reservations.into_iter().filter_map(Result::unwrap).count();
    assert_eq!(granted, 14);

    assert_eq!(runs.remaining(at(NOW), LIMITS).await.unwrap().requests, 2);
    assert!(
        runs.reserve(at(NOW), amount(2, 0), LIMITS)
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        runs.reserve(at(NOW), amount(1, 0), LIMITS)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(runs.remaining(at(NOW), LIMITS).await.unwrap().requests, 0);
}

async fn sign_ins_have_a_limit_of_their_own(tables: &Tables) {
    let runs = tables.runs();
    let limits = HourlyLimits {
        sign_ins_per_hour: Some(5),
        ..LIMITS
    };
    let reservations = join_all((0..10).map(|_| runs.reserve(at(NOW), amount(3, 1), limits))).await;
    assert_eq!(
        reservations.into_iter().filter_map(Result::unwrap).count(),
        5
    );

    assert!(
        runs.reserve(at(NOW), amount(3, 0), limits)
            .await
            .unwrap()
            .is_some(),
        "requests remain"
    );
    assert!(
        runs.reserve(at(NOW), amount(3, 1), LIMITS)
            .await
            .unwrap()
            .is_some(),
        "without a limit of their own, sign-ins count only as requests"
    );
}

async fn more_than_the_limit_is_never_reserved(tables: &Tables) {
    let runs = tables.runs();
    assert_eq!(
        runs.reserve(at(NOW), amount(101, 0), LIMITS).await.unwrap(),
        None
    );
    let limits = HourlyLimits {
        sign_ins_per_hour: Some(5),
        ..LIMITS
    };
    assert_eq!(
        runs.reserve(at(NOW), amount(10, 6), limits).await.unwrap(),
        None
    );
    assert_eq!(runs.remaining(at(NOW), LIMITS).await.unwrap().requests, 100);
}

async fn a_reservation_is_settled_up_and_down(tables: &Tables) {
    let runs = tables.runs();
    let first = runs
        .reserve(at(NOW), amount(50, 10), LIMITS)
        .await
        .unwrap()
        .unwrap();
    let second = runs
        .reserve(at(NOW), amount(50, 10), LIMITS)
        .await
        .unwrap()
        .unwrap();

    runs.settle(first, amount(20, 4)).await.unwrap();
    assert_eq!(runs.remaining(at(NOW), LIMITS).await.unwrap().requests, 30);

    runs.settle(second, amount(55, 12)).await.unwrap();
    assert_eq!(runs.remaining(at(NOW), LIMITS).await.unwrap().requests, 25);
    assert_items!(tables.items("runs").await, "budget");
}

async fn another_hour_has_another_budget(tables: &Tables) {
    let runs = tables.runs();
    let reservation = runs
        .reserve(at(NOW), amount(100, 0), LIMITS)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        runs.reserve(at(NOW), amount(1, 0), LIMITS).await.unwrap(),
        None
    );
    assert!(
        runs.reserve(at(NEXT_HOUR), amount(100, 0), LIMITS)
            .await
            .unwrap()
            .is_some()
    );

    runs.settle(reservation, amount(40, 0)).await.unwrap();
    assert_eq!(
        runs.remaining(at(NOW), LIMITS).await.unwrap().requests,
        60,
        "the unused amount is returned to the hour of the reservation"
    );
    assert_eq!(
        runs.remaining(at(NEXT_HOUR), LIMITS)
            .await
            .unwrap()
            .requests,
        0
    );
}

async fn a_closed_hour_grants_no_reservation(tables: &Tables) {
    let runs = tables.runs();
    let reservation = runs
        .reserve(at("2026-11-23T06:10:00Z"), amount(10, 1), LIMITS)
        .await
        .unwrap()
        .unwrap();

    runs.close_hour(at("2026-11-23T06:20:00Z")).await.unwrap();
    runs.close_hour(at("2026-11-23T06:30:00Z")).await.unwrap();

    assert_eq!(
        runs.reserve(at(NOW), amount(1, 0), LIMITS).await.unwrap(),
        None
    );
    runs.settle(reservation, amount(5, 0)).await.unwrap();
    assert_eq!(runs.remaining(at(NOW), LIMITS).await.unwrap().requests, 0);
    assert_items!(tables.items("runs").await, "closed_hour");
    assert!(
        runs.reserve(at(NEXT_HOUR), amount(1, 0), LIMITS)
            .await
            .unwrap()
            .is_some()
    );
}

async fn requests_without_a_reservation_count_too(tables: &Tables) {
    let runs = tables.runs();
    runs.record_usage(at(NOW), amount(30, 0)).await.unwrap();
    runs.record_usage(at(NOW), amount(30, 0)).await.unwrap();
    assert_eq!(runs.remaining(at(NOW), LIMITS).await.unwrap().requests, 40);
    assert_eq!(
        runs.reserve(at(NOW), amount(41, 0), LIMITS).await.unwrap(),
        None
    );
    runs.record_usage(at(NOW), amount(60, 0)).await.unwrap();
    assert_eq!(runs.remaining(at(NOW), LIMITS).await.unwrap().requests, 0);
}

#[tokio::test]
async fn releasing_budget_is_never_retried() {
    let dynamodb = ScriptedDynamoDb::start([
        ok_response(),
        internal_server_error(),
        ok_response(),
        internal_server_error(),
        ok_response(),
    ])
    .await;
    let runs = dynamodb.runs();
    let reserve = async || {
        runs.reserve(at(NOW), amount(10, 1), LIMITS)
            .await
            .unwrap()
            .unwrap()
    };

    let error = runs
        .settle(reserve().await, amount(4, 1))
        .await
        .unwrap_err();
    assert_eq!(
        (error.type_name(), dynamodb.calls()),
        ("store_unavailable", 2)
    );

    assert_eq!(runs.settle(reserve().await, amount(14, 1)).await, Ok(()));
    assert_eq!(
        dynamodb.calls(),
        5,
        "additional usage is retried, because a count that is too high is safe"
    );
}

fn amount(requests: u32, sign_ins: u32) -> BudgetAmount {
    BudgetAmount { requests, sign_ins }
}
