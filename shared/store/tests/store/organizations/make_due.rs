//! Making all organizations due.

use engagement::Name;
use serde_json::json;
use store::MakeDueProgress;

use super::syncs::{due_at, progress, sync, sync_again};
use crate::{
    fixtures::{SYNCED_AT, at, decision, id, organization, write_decision, written},
    scripted::{ScriptedDynamoDb, error_response, ok_response},
    tables::Tables,
};

/// The time of make-due: after [`SYNCED_AT`], and before the organizations are due.
const NOW: &str = "2026-11-23T12:00:00.7Z";

#[tokio::test]
async fn make_due_changes_nothing_but_next_check_at() {
    let tables = &Tables::create().await;
    sync(tables, 0..3, SYNCED_AT).await;
    let organizations = tables.organizations();
    let due = at("2026-11-23T11:00:00Z");
    organizations
        .record_failure(
            &id(2),
            "bill_unavailable",
            at("2026-11-23T07:00:00Z"),
            due,
            at("2026-11-23T07:00:00Z"),
        )
        .await
        .unwrap();

    let result = organizations.make_due(at(NOW), |_| {}).await.unwrap();

    assert_eq!(result, progress(3, 2));
    for number in 0..2 {
        let mut expected = organization(number, 1, SYNCED_AT);
        expected.next_check_at = at("2026-11-23T12:00:00Z");
        assert_eq!(
            organizations.get(&id(number)).await.unwrap(),
            Some(expected)
        );
    }
    let due_before = organizations.get(&id(2)).await.unwrap().unwrap();
    assert_eq!(due_before.next_check_at, due);
    assert_eq!(
        tables.index_item_count("organizations", "by-stage").await,
        3
    );
}

/// With more items than one page of the scan has, and more than 32 concurrent updates complete.
#[tokio::test]
async fn organizations_beyond_the_hourly_budget_stay_due_until_synced() {
    const ALL: usize = 70;
    const BUDGET: usize = 25;

    let tables = &Tables::create().await;
    for number in 0..ALL {
        let mut decision = decision(number, 1, SYNCED_AT, &[]);
        decision.organization.name = Some(Name::new("x".repeat(40_000)));
        write_decision(tables, &decision, None).await;
    }

    let mut reports = Vec::new();
    let result = tables
        .organizations()
        .make_due(at(NOW), |progress| reports.push(progress.clone()))
        .await
        .unwrap();

    assert_eq!(result, progress(ALL as u64, ALL as u64));
    assert_eq!(reports.last(), Some(&result));
    assert!(
        reports.is_sorted_by_key(|report| (report.organizations, report.made_due)),
        "{reports:?}"
    );

    for (hour, expected) in [
        ("2026-11-23T13:00:00Z", 70),
        ("2026-11-23T14:00:00Z", 45),
        ("2026-11-23T15:00:00Z", 20),
    ] {
        let due = due_at(tables, ALL, hour).await;
        assert_eq!(due.len(), expected);
        for number in due.into_iter().take(BUDGET) {
            assert_eq!(sync_again(tables, number, hour).await, written(0, 0));
        }
    }
    assert!(due_at(tables, ALL, "2026-11-23T16:00:00Z").await.is_empty());
}

#[tokio::test]
async fn organizations_synced_since_are_not_made_due() {
    let tables = &Tables::create().await;
    sync(tables, 0..1, "2026-11-23T12:00:00Z").await;
    sync(tables, 1..2, "2026-11-23T12:00:01Z").await;
    sync(tables, 2..3, "2026-11-23T11:59:59Z").await;

    let result = tables.organizations().make_due(at(NOW), |_| {}).await;

    assert_eq!(result, Ok(progress(3, 1)));
    assert_eq!(due_at(tables, 3, NOW).await, [2]);
}

#[tokio::test]
async fn an_organization_that_bill_refused_is_made_due() {
    let tables = &Tables::create().await;
    let organizations = tables.organizations();
    organizations
        .record_failure(
            &id(0),
            "bill_refused",
            at(SYNCED_AT),
            at("2026-11-24T06:00:00Z"),
            at(SYNCED_AT),
        )
        .await
        .unwrap();

    let result = organizations.make_due(at(NOW), |_| {}).await;

    assert_eq!(result, Ok(progress(1, 1)));
    assert_eq!(due_at(tables, 1, NOW).await, [0]);
    assert_eq!(organizations.get(&id(0)).await.unwrap(), None);
}

#[tokio::test]
async fn an_unreadable_item_is_reported_and_the_others_are_made_due() {
    let tables = &Tables::create().await;
    sync(tables, 0..3, SYNCED_AT).await;
    let next_check_at = "2026-11-24T06:00:00Z";
    let unreadable = [
        json!({
            "organization_id": id(3).as_str(),
            "stage": "active",
            "checked_at": SYNCED_AT,
            "next_check_at": "tomorrow",
        }),
        json!({
            "organization_id": id(4).as_str(),
            "stage": "active",
            "checked_at": "yesterday",
            "next_check_at": next_check_at,
        }),
        json!({
            "organization_id": id(5).as_str(),
            "stage": "active",
            "checked_at": SYNCED_AT,
        }),
        json!({
            "organization_id": "marisol kestrel",
            "checked_at": SYNCED_AT,
            "next_check_at": next_check_at,
        }),
    ];
    for item in unreadable.clone() {
        tables.put("organizations", item).await;
    }
    let before = tables.items("organizations").await.split_off(3);

    let mut result = tables
        .organizations()
        .make_due(at(NOW), |_| {})
        .await
        .unwrap();

    result.unreadable.sort();
    let ids = unreadable.map(|item| item["organization_id"].as_str().unwrap().to_owned());
    assert_eq!(
        result,
        MakeDueProgress {
            unreadable: ids.to_vec(),
            ..progress(7, 3)
        }
    );
    assert_eq!(tables.items("organizations").await.split_off(3), before);
}

#[tokio::test]
async fn concurrent_and_repeated_make_due_runs_are_idempotent() {
    let tables = &Tables::create().await;
    sync(tables, 0..40, SYNCED_AT).await;
    let organizations = tables.organizations();
    let later = at("2026-11-23T12:00:05Z");

    let (first, second) = tokio::join!(
        organizations.make_due(at(NOW), |_| {}),
        organizations.make_due(later, |_| {})
    );

    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((first.organizations, second.organizations), (40, 40));
    assert!(
        first.made_due + second.made_due >= 40,
        "{first:?} {second:?}"
    );
    assert_eq!(due_at(tables, 40, "2026-11-23T12:00:05Z").await.len(), 40);

    let before = tables.items("organizations").await;
    let again = organizations
        .make_due(at("2026-11-23T12:30:00Z"), |_| {})
        .await;
    assert_eq!(again, Ok(progress(40, 0)));
    assert_eq!(tables.items("organizations").await, before);
}

#[tokio::test]
async fn make_due_reads_every_page_and_reports_progress_after_each() {
    let found = |number: usize, next_check_at: &str| {
        json!({
            "organization_id": { "S": id(number).as_str() },
            "next_check_at": { "S": next_check_at },
        })
    };
    let due = |number| found(number, SYNCED_AT);
    let key = |number: usize| json!({ "organization_id": { "S": id(number).as_str() } });
    let dynamodb = ScriptedDynamoDb::start([
        (
            200,
            json!({ "Items": [due(1), due(2)], "LastEvaluatedKey": key(2) }),
        ),
        (200, json!({ "Items": [], "LastEvaluatedKey": key(3) })),
        (
            200,
            json!({ "Items": [due(4), found(5, "2026-11-24T06:00:00Z")] }),
        ),
        error_response("TransactionConflictException"),
        ok_response(),
    ])
    .await;

    let mut reports = Vec::new();
    let result = dynamodb
        .organizations()
        .make_due(at("2026-11-23T12:00:00Z"), |progress| {
            reports.push((progress.organizations, progress.made_due));
        })
        .await
        .unwrap();

    assert_eq!(
        (result.made_due, reports),
        (1, vec![(2, 0), (2, 0), (4, 1)])
    );
    let requests = dynamodb.requests();
    assert_eq!(
        requests[1]["ExclusiveStartKey"]["organization_id"]["S"],
        id(2).as_str()
    );
    assert_eq!(requests[4]["Key"]["organization_id"]["S"], id(5).as_str());
}
