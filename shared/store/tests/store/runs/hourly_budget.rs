//! The hourly budget: concurrent callers never exceed the limit.

use futures::future::join_all;
use store::{BudgetAmount, HourlyLimits, StoreErrorKind};

use crate::{
    fixtures::at,
    scripted::{ScriptedDynamoDb, internal_server_error, ok_response},
    tables::{Tables, assert_items},
};

const NOW: &str = "2026-11-23T06:59:59Z";
const NEXT_HOUR: &str = "2026-11-23T07:00:00Z";
const LIMITS: HourlyLimits = HourlyLimits {
    requests_per_hour: 100,
    sign_ins_per_hour: None,
};
const SIGN_IN_LIMITS: HourlyLimits = HourlyLimits {
    requests_per_hour: 100,
    sign_ins_per_hour: Some(5),
};

#[tokio::test]
async fn twenty_concurrent_reservations_stay_within_the_limit() {
    let tables = &Tables::create().await;
    let budget = tables.hourly_budget(LIMITS);
    let reservations = join_all((0..20).map(|_| budget.reserve(at(NOW), amount(7, 0)))).await;

    let granted = reservations.into_iter().filter_map(Result::unwrap).count();
    assert_eq!(granted, 14);

    assert_eq!(budget.remaining(at(NOW)).await.unwrap().requests, 2);
    assert!(
        budget
            .reserve(at(NOW), amount(2, 0))
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        budget
            .reserve(at(NOW), amount(1, 0))
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(budget.remaining(at(NOW)).await.unwrap().requests, 0);
}

#[tokio::test]
async fn sign_ins_have_a_limit_of_their_own() {
    let tables = &Tables::create().await;
    let limited = tables.hourly_budget(SIGN_IN_LIMITS);
    let reservations = join_all((0..10).map(|_| limited.reserve(at(NOW), amount(3, 1)))).await;
    assert_eq!(
        reservations.into_iter().filter_map(Result::unwrap).count(),
        5
    );

    assert!(
        limited
            .reserve(at(NOW), amount(3, 0))
            .await
            .unwrap()
            .is_some(),
        "requests remain"
    );
    assert!(
        tables
            .hourly_budget(LIMITS)
            .reserve(at(NOW), amount(3, 1))
            .await
            .unwrap()
            .is_some(),
        "without a limit of their own, sign-ins count only as requests"
    );
}

#[tokio::test]
async fn more_than_the_limit_is_never_reserved() {
    let tables = &Tables::create().await;
    let budget = tables.hourly_budget(LIMITS);
    assert_eq!(budget.reserve(at(NOW), amount(101, 0)).await.unwrap(), None);
    let limited = tables.hourly_budget(SIGN_IN_LIMITS);
    assert_eq!(limited.reserve(at(NOW), amount(10, 6)).await.unwrap(), None);
    assert_eq!(budget.remaining(at(NOW)).await.unwrap().requests, 100);
}

#[tokio::test]
async fn a_reservation_is_settled_up_and_down() {
    let tables = &Tables::create().await;
    let budget = tables.hourly_budget(LIMITS);
    let first = budget
        .reserve(at(NOW), amount(50, 10))
        .await
        .unwrap()
        .unwrap();
    let second = budget
        .reserve(at(NOW), amount(50, 10))
        .await
        .unwrap()
        .unwrap();

    budget.settle(first, amount(20, 4)).await.unwrap();
    assert_eq!(budget.remaining(at(NOW)).await.unwrap().requests, 30);

    budget.settle(second, amount(55, 12)).await.unwrap();
    assert_eq!(budget.remaining(at(NOW)).await.unwrap().requests, 25);
    assert_items!(tables.items("runs").await, "budget");
}

#[tokio::test]
async fn another_hour_has_another_budget() {
    let tables = &Tables::create().await;
    let budget = tables.hourly_budget(LIMITS);
    let reservation = budget
        .reserve(at(NOW), amount(100, 0))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(budget.reserve(at(NOW), amount(1, 0)).await.unwrap(), None);
    assert!(
        budget
            .reserve(at(NEXT_HOUR), amount(100, 0))
            .await
            .unwrap()
            .is_some()
    );

    budget.settle(reservation, amount(40, 0)).await.unwrap();
    assert_eq!(
        budget.remaining(at(NOW)).await.unwrap().requests,
        60,
        "the unused amount is returned to the hour of the reservation"
    );
    assert_eq!(budget.remaining(at(NEXT_HOUR)).await.unwrap().requests, 0);
}

#[tokio::test]
async fn a_closed_hour_grants_no_reservation() {
    let tables = &Tables::create().await;
    let budget = tables.hourly_budget(LIMITS);
    let reservation = budget
        .reserve(at("2026-11-23T06:10:00Z"), amount(10, 1))
        .await
        .unwrap()
        .unwrap();

    budget.close_hour(at("2026-11-23T06:20:00Z")).await.unwrap();
    budget.close_hour(at("2026-11-23T06:30:00Z")).await.unwrap();

    assert_eq!(budget.reserve(at(NOW), amount(1, 0)).await.unwrap(), None);
    budget.settle(reservation, amount(5, 0)).await.unwrap();
    assert_eq!(budget.remaining(at(NOW)).await.unwrap().requests, 0);
    assert_items!(tables.items("runs").await, "closed_hour");
    assert!(
        budget
            .reserve(at(NEXT_HOUR), amount(1, 0))
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn requests_without_a_reservation_count_too() {
    let tables = &Tables::create().await;
    let budget = tables.hourly_budget(LIMITS);
    budget.record_usage(at(NOW), amount(30, 0)).await.unwrap();
    budget.record_usage(at(NOW), amount(30, 0)).await.unwrap();
    assert_eq!(budget.remaining(at(NOW)).await.unwrap().requests, 40);
    assert_eq!(budget.reserve(at(NOW), amount(41, 0)).await.unwrap(), None);
    budget.record_usage(at(NOW), amount(60, 0)).await.unwrap();
    assert_eq!(budget.remaining(at(NOW)).await.unwrap().requests, 0);
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
    let budget = dynamodb.hourly_budget(LIMITS);
    let reserve = async || {
        budget
            .reserve(at(NOW), amount(10, 1))
            .await
            .unwrap()
            .unwrap()
    };

    let error = budget
        .settle(reserve().await, amount(4, 1))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), dynamodb.calls()),
        (StoreErrorKind::Unavailable, 2)
    );

    assert_eq!(budget.settle(reserve().await, amount(14, 1)).await, Ok(()));
    assert_eq!(
        dynamodb.calls(),
        5,
        "additional usage is retried, because a count that is too high is safe"
    );
}

fn amount(requests: u32, sign_ins: u32) -> BudgetAmount {
    BudgetAmount { requests, sign_ins }
}
