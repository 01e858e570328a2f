//! The hourly budget: concurrent callers never exceed the limit.

use futures::future::join_all;
use serde_json::json;
use store::{
    BudgetAmount,
    BudgetShare::{Events, Sweep},
    HourlyLimits, StoreErrorKind,
};

use crate::{
    fixtures::at,
    scripted::{ScriptedDynamoDb, internal_server_error, ok_response},
    tables::{Tables, assert_items},
};

const NOW: &str = "2026-11-23T06:59:59Z";
const NEXT_HOUR: &str = "2026-11-23T07:00:00Z";
const LIMITS: HourlyLimits = HourlyLimits {
    requests_per_hour: 125,
    sign_ins_per_hour: None,
    events_share: 50,
};
const SIGN_IN_LIMITS: HourlyLimits = HourlyLimits {
    requests_per_hour: 125,
    sign_ins_per_hour: Some(7),
    events_share: 50,
};

#[tokio::test]
async fn twenty_concurrent_reservations_stay_within_the_limit() {
    let tables = &Tables::create().await;
    let budget = tables.hourly_budget(LIMITS);
    let reservations =
        join_all((0..20).map(|_| budget.reserve(at(NOW), Sweep, amount(7, 0)))).await;

    let granted = reservations.into_iter().filter_map(Result::unwrap).count();
    assert_eq!(granted, 14);

    assert_eq!(budget.remaining(at(NOW), Sweep).await.unwrap().requests, 2);
    assert!(
        budget
            .reserve(at(NOW), Sweep, amount(2, 0))
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        budget
            .reserve(at(NOW), Sweep, amount(1, 0))
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(budget.remaining(at(NOW), Sweep).await.unwrap().requests, 0);
}

#[tokio::test]
async fn sign_ins_have_a_limit_of_their_own() {
    let tables = &Tables::create().await;
    let limited = tables.hourly_budget(SIGN_IN_LIMITS);
    let reservations =
        join_all((0..10).map(|_| limited.reserve(at(NOW), Sweep, amount(3, 1)))).await;
    assert_eq!(
        reservations.into_iter().filter_map(Result::unwrap).count(),
        5
    );

    assert!(
        limited
            .reserve(at(NOW), Sweep, amount(3, 0))
            .await
            .unwrap()
            .is_some(),
        "requests remain"
    );
    assert!(
        tables
            .hourly_budget(LIMITS)
            .reserve(at(NOW), Sweep, amount(3, 1))
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
    assert_eq!(
        budget
            .reserve(at(NOW), Sweep, amount(101, 0))
            .await
            .unwrap(),
        None
    );
    let limited = tables.hourly_budget(SIGN_IN_LIMITS);
    assert_eq!(
        limited
            .reserve(at(NOW), Sweep, amount(10, 6))
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        budget.remaining(at(NOW), Sweep).await.unwrap().requests,
        100
    );
}

#[tokio::test]
async fn a_reservation_is_settled_up_and_down() {
    let tables = &Tables::create().await;
    let budget = tables.hourly_budget(LIMITS);
    let first = budget
        .reserve(at(NOW), Sweep, amount(50, 10))
        .await
        .unwrap()
        .unwrap();
    let second = budget
        .reserve(at(NOW), Sweep, amount(50, 10))
        .await
        .unwrap()
        .unwrap();

    budget.settle(first, amount(20, 4)).await.unwrap();
    assert_eq!(budget.remaining(at(NOW), Sweep).await.unwrap().requests, 30);

    budget.settle(second, amount(55, 12)).await.unwrap();
    assert_eq!(budget.remaining(at(NOW), Sweep).await.unwrap().requests, 25);
    assert_items!(tables.items("runs").await, "budget");
}

#[tokio::test]
async fn another_hour_has_another_budget() {
    let tables = &Tables::create().await;
    let budget = tables.hourly_budget(LIMITS);
    let reservation = budget
        .reserve(at(NOW), Sweep, amount(100, 0))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        budget.reserve(at(NOW), Sweep, amount(1, 0)).await.unwrap(),
        None
    );
    assert!(
        budget
            .reserve(at(NEXT_HOUR), Sweep, amount(100, 0))
            .await
            .unwrap()
            .is_some()
    );

    budget.settle(reservation, amount(40, 0)).await.unwrap();
    assert_eq!(
        budget.remaining(at(NOW), Sweep).await.unwrap().requests,
        60,
        "the unused amount is returned to the hour of the reservation"
    );
    assert_eq!(
        budget
            .remaining(at(NEXT_HOUR), Sweep)
            .await
            .unwrap()
            .requests,
        0
    );
}

#[tokio::test]
async fn a_closed_hour_grants_no_reservation() {
    let tables = &Tables::create().await;
    let budget = tables.hourly_budget(LIMITS);
    let reservation = budget
        .reserve(at("2026-11-23T06:10:00Z"), Sweep, amount(10, 1))
        .await
        .unwrap()
        .unwrap();

    budget.close_hour(at("2026-11-23T06:20:00Z")).await.unwrap();
    budget.close_hour(at("2026-11-23T06:30:00Z")).await.unwrap();

    assert_eq!(
        budget.reserve(at(NOW), Sweep, amount(1, 0)).await.unwrap(),
        None
    );
    budget.settle(reservation, amount(5, 0)).await.unwrap();
    assert_eq!(budget.remaining(at(NOW), Sweep).await.unwrap().requests, 0);
    assert_items!(tables.items("runs").await, "closed_hour");
    assert!(
        budget
            .reserve(at(NEXT_HOUR), Sweep, amount(1, 0))
            .await
            .unwrap()
            .is_some()
    );
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
            .reserve(at(NOW), Sweep, amount(10, 1))
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

/// 80 percent of 125 requests for the sweep, 50 percent for events, and not more than 125 together.
#[tokio::test]
async fn neither_the_sweep_nor_events_can_use_up_the_hour() {
    let tables = &Tables::create().await;
    let budget = tables.hourly_budget(LIMITS);
    let granted = async |share| {
        let reservations = join_all((0..40).map(|_| budget.reserve(at(NOW), share, amount(4, 1))));
        reservations
            .await
            .into_iter()
            .filter_map(Result::unwrap)
            .collect::<Vec<_>>()
    };

    let events = granted(Events).await;
    assert_eq!(events.len(), 15, "60 of 62 requests");
    let sweep = granted(Sweep).await;
    assert_eq!(sweep.len(), 16, "64 of the 65 that are left");
    assert_eq!(
        budget.remaining(at(NOW), Sweep).await,
        Ok(amount(1, u32::MAX))
    );
    assert_eq!(
        budget.remaining(at(NOW), Events).await,
        Ok(amount(1, u32::MAX))
    );

    for reservation in events {
        budget.settle(reservation, amount(0, 0)).await.unwrap();
    }
    assert_eq!(granted(Sweep).await.len(), 9, "100 of 100 requests");
    assert_eq!(granted(Events).await.len(), 6, "24 of the 25 that are left");
    assert_items!(tables.items("runs").await, "shares");
}

#[tokio::test]
async fn a_reservation_covers_the_first_amounts_as_many_as_are_left() {
    let tables = &Tables::create().await;
    let budget = tables.hourly_budget(SIGN_IN_LIMITS);
    let reserve = async |requests: &[u32]| {
        let amounts: Vec<_> = requests.iter().map(|it| amount(*it, 1)).collect();
        let reserved = budget.reserve_up_to(at(NOW), Sweep, &amounts).await;
        reserved.unwrap().map(|(_, count)| count)
    };

    assert_eq!(reserve(&[]).await, None);
    assert_eq!(reserve(&[20, 30]).await, Some(2));
    assert_eq!(reserve(&[1; 10]).await, Some(3), "five sign-ins");
    assert_eq!(reserve(&[1]).await, None);

    let budget = tables.hourly_budget(LIMITS);
    let later = at(NEXT_HOUR);
    let amounts = [6, 2, 90, 3].map(|requests| amount(requests, 1));
    let reserved = budget.reserve_up_to(later, Sweep, &amounts).await;
    let (reservation, count) = reserved.unwrap().unwrap();
    assert_eq!(count, 3, "98 of 100 requests");
    budget.settle(reservation, amount(95, 3)).await.unwrap();
    let reserved = budget.reserve_up_to(later, Sweep, &amounts).await;
    assert_eq!(
        reserved.unwrap(),
        None,
        "five are left, and the first is six"
    );
}

#[tokio::test]
async fn an_hour_that_the_last_release_counted_goes_on() {
    let tables = &Tables::create().await;
    let hour = json!({
        "run": "budget#2026-11-23T06",
        "requests": 120,
        "sign_ins": 12,
        "schema_version": 1,
    });
    tables.put("runs", hour).await;
    let budget = tables.hourly_budget(LIMITS);

    assert_eq!(
        budget.reserve(at(NOW), Events, amount(6, 1)).await,
        Ok(None)
    );
    let reservation = budget.reserve(at(NOW), Sweep, amount(5, 1)).await.unwrap();
    assert!(reservation.is_some());
}

fn amount(requests: u32, sign_ins: u32) -> BudgetAmount {
    BudgetAmount { requests, sign_ins }
}
