//! Making every organization due.

use engagement::{Decision, Name, Organization};
use serde_json::json;
use store::{MakeDueProgress, WriteOutcome};

use crate::{
    behaviours,
    fixtures::{SYNCED_AT, at, decision, id, key, organization},
    tables::Tables,
};

/// After [`SYNCED_AT`], and before the organizations' turn.
const NOW: &str = "2026-11-23T12:00:00.7Z";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn make_due_is_safe_beside_concurrent_syncs() {
    behaviours![
        make_due_changes_nothing_but_next_check_at,
        organizations_beyond_the_hourly_budget_stay_due_until_synced,
        organizations_synced_since_are_not_made_due,
        an_organization_that_bill_refused_is_made_due,
        an_unreadable_item_is_reported_and_the_others_are_made_due,
        concurrent_and_repeated_make_due_runs_are_idempotent,
        a_sync_written_after_make_due_is_kept,
        a_sync_begun_before_make_due_is_superseded,
        a_failed_sync_begun_before_make_due_leaves_the_organization_due,
    ];
}

async fn make_due_changes_nothing_but_next_check_at(tables: &Tables) {
    write(tables, 0..3, SYNCED_AT).await;
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
    let made_due = organizations.make_due(at(NOW), |_| {}).await.unwrap();
    assert_eq!(made_due, done(3, 2));
    for number in 0..2 {
        let mut expected = organization(number, 1, SYNCED_AT);
        expected.next_check_at = at("2026-11-23T12:00:00Z");
        assert_eq!(
            organizations.get(&id(number)).await.unwrap(),
            Some(expected)
        );
    }
    assert_eq!(
        organizations
            .get(&id(2))
            .await
            .unwrap()
            .unwrap()
            .next_check_at,
        due
    );
    assert_eq!(
        tables.index_item_count("organizations", "by-stage").await,
        3
    );
}

/// Larger than a page of the table, and than what 32 changes at once settle.
async fn organizations_beyond_the_hourly_budget_stay_due_until_synced(tables: &Tables) {
    const ALL: usize = 70;
    const BUDGET: usize = 25;
    for number in 0..ALL {
        let mut decision = decision(number, 1, SYNCED_AT, &[]);
        decision.organization.name = Some(Name::new("x".repeat(40_000)));
        tables
            .checks()
            .apply(&decision, None, &key())
            .await
            .unwrap();
    }
    let mut told = Vec::new();
    let made_due = tables
        .organizations()
        .make_due(at(NOW), |done| told.push(done.clone()))
        .await
        .unwrap();
    assert_eq!(made_due, done(ALL as u64, ALL as u64));
    assert_eq!(told.last(), Some(&made_due));
    assert!(
        told.is_sorted_by_key(|done| (done.organizations, done.made_due)),
        "{told:?}"
    );

    for (hour, waiting) in [
        ("2026-11-23T13:00:00Z", 70),
        ("2026-11-23T14:00:00Z", 45),
        ("2026-11-23T15:00:00Z", 20),
    ] {
        let due = due_at(tables, ALL, hour).await;
        assert_eq!(due.len(), waiting);
        for number in due.into_iter().take(BUDGET) {
            assert_eq!(
                look(tables, number, hour).await,
                WriteOutcome::Written {
                    notices: 0,
                    notices_existing: 0
                }
            );
        }
    }
    assert!(due_at(tables, ALL, "2026-11-23T16:00:00Z").await.is_empty());
}

async fn organizations_synced_since_are_not_made_due(tables: &Tables) {
    write(tables, 0..1, "2026-11-23T12:00:00Z").await;
    write(tables, 1..2, "2026-11-23T12:00:01Z").await;
    write(tables, 2..3, "2026-11-23T11:59:59Z").await;
    assert_eq!(
        tables
            .organizations()
            .make_due(at(NOW), |_| {})
            .await
            .unwrap(),
        done(3, 1)
    );
    assert_eq!(due_at(tables, 3, NOW).await, [2]);
}

async fn an_organization_that_bill_refused_is_made_due(tables: &Tables) {
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
    assert_eq!(
        organizations.make_due(at(NOW), |_| {}).await.unwrap(),
        done(1, 1)
    );
    assert_eq!(due_at(tables, 1, NOW).await, [0]);
    assert_eq!(organizations.get(&id(0)).await.unwrap(), None);
}

async fn an_unreadable_item_is_reported_and_the_others_are_made_due(tables: &Tables) {
    write(tables, 0..3, SYNCED_AT).await;
    let next_check_at = "2026-11-24T06:00:00Z";
    let broken = [
        json!({ "organization_id": id(3).as_str(), "stage": "active", "checked_at": SYNCED_AT, "next_check_at": "tomorrow" }),
        json!({ "organization_id": id(4).as_str(), "stage": "active", "checked_at": "yesterday", "next_check_at": next_check_at }),
        json!({ "organization_id": id(5).as_str(), "stage": "active", "checked_at": SYNCED_AT }),
        json!({ "organization_id": "marisol kestrel", "checked_at": SYNCED_AT, "next_check_at": next_check_at }),
    ];
    for item in broken.clone() {
        tables.put("organizations", item).await;
    }
    let before = tables.items("organizations").await.split_off(3);
    let mut made_due = tables
        .organizations()
        .make_due(at(NOW), |_| {})
        .await
        .unwrap();
    made_due.unreadable.sort();
    let unreadable = broken.map(|item| item["organization_id"].as_str().unwrap().to_owned());
    assert_eq!(
        made_due,
        MakeDueProgress {
            unreadable: unreadable.to_vec(),
            ..done(7, 3)
        }
    );
    assert_eq!(tables.items("organizations").await.split_off(3), before);
}

async fn concurrent_and_repeated_make_due_runs_are_idempotent(tables: &Tables) {
    write(tables, 0..40, SYNCED_AT).await;
    let organizations = tables.organizations();
    let later = at("2026-11-23T12:00:05Z");
    let (one, other) = tokio::join!(
        organizations.make_due(at(NOW), |_| {}),
        organizations.make_due(later, |_| {})
    );
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!((one.organizations, other.organizations), (40, 40));
    assert!(one.made_due + other.made_due >= 40, "{one:?} {other:?}");
    assert_eq!(due_at(tables, 40, "2026-11-23T12:00:05Z").await.len(), 40);
    let before = tables.items("organizations").await;
    assert_eq!(
        organizations
            .make_due(at("2026-11-23T12:30:00Z"), |_| {})
            .await
            .unwrap(),
        done(40, 0)
    );
    assert_eq!(tables.items("organizations").await, before);
}

async fn a_sync_written_after_make_due_is_kept(tables: &Tables) {
    write(tables, 0..2, SYNCED_AT).await;
    tables
        .organizations()
        .make_due(at(NOW), |_| {})
        .await
        .unwrap();
    assert_eq!(
        look(tables, 0, NOW).await,
        WriteOutcome::Written {
            notices: 0,
            notices_existing: 0
        }
    );
    assert_eq!(due_at(tables, 2, NOW).await, [1]);
    assert_eq!(
        tables
            .organizations()
            .make_due(at(NOW), |_| {})
            .await
            .unwrap(),
        done(2, 0)
    );
    assert_eq!(due_at(tables, 2, NOW).await, [1]);
}

async fn a_sync_begun_before_make_due_is_superseded(tables: &Tables) {
    write(tables, 0..1, SYNCED_AT).await;
    let previous = tables.organizations().get(&id(0)).await.unwrap();
    tables
        .organizations()
        .make_due(at(NOW), |_| {})
        .await
        .unwrap();
    assert_eq!(
        write_decision_over(tables, previous, "2026-11-23T11:59:59Z").await,
        WriteOutcome::Superseded
    );
    assert_eq!(due_at(tables, 1, NOW).await, [0]);
}

async fn a_failed_sync_begun_before_make_due_leaves_the_organization_due(tables: &Tables) {
    write(tables, 0..2, SYNCED_AT).await;
    let organizations = tables.organizations();
    organizations.make_due(at(NOW), |_| {}).await.unwrap();
    let refused = async |number, began: &str, now: &str| {
        organizations
            .record_failure(
                &id(number),
                "bill_refused",
                at(began),
                at("2026-11-24T12:00:00Z"),
                at(now),
            )
            .await
            .unwrap();
    };
    refused(0, "2026-11-23T11:59:59Z", "2026-11-23T12:00:02Z").await;
    refused(1, "2026-11-23T12:00:01Z", "2026-11-23T12:00:02Z").await;
    assert_eq!(
        due_at(tables, 2, NOW).await,
        [0],
        "the second look began after it"
    );
}

fn done(organizations: u64, made_due: u64) -> MakeDueProgress {
    MakeDueProgress {
        organizations,
        made_due,
        unreadable: Vec::new(),
    }
}

/// Organizations that were looked at once, at that moment.
async fn write(tables: &Tables, numbers: std::ops::Range<usize>, checked_at: &str) {
    for number in numbers {
        tables
            .checks()
            .apply(&decision(number, 1, checked_at, &[]), None, &key())
            .await
            .unwrap();
    }
}

/// Looks at an organization a second time.
async fn look(tables: &Tables, number: usize, checked_at: &str) -> WriteOutcome {
    let previous = tables.organizations().get(&id(number)).await.unwrap();
    write_decision_over(tables, previous, checked_at).await
}

async fn write_decision_over(
    tables: &Tables,
    previous: Option<Organization>,
    checked_at: &str,
) -> WriteOutcome {
    let mut decision = Decision {
        transition: None,
        ..decision(0, 2, checked_at, &[])
    };
    decision.organization.organization_id = previous.as_ref().unwrap().organization_id.clone();
    tables
        .checks()
        .apply(&decision, previous.as_ref(), &key())
        .await
        .unwrap()
}

/// The numbers below `all` whose organizations fan-out would find due.
async fn due_at(tables: &Tables, all: usize, moment: &str) -> Vec<usize> {
    let ids: Vec<_> = (0..all).map(id).collect();
    let next_syncs = tables.organizations().next_syncs(&ids).await.unwrap();
    (0..all)
        .filter(|number| {
            next_syncs
                .get(&id(*number))
                .is_none_or(|next_check| next_check.at <= at(moment))
        })
        .collect()
}
