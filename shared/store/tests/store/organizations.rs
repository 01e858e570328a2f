//! What is read about organizations, and how a failure is noted.

use engagement::{CurrentStage, Stage, StageReason};
use serde_json::json;
use store::NextSync;

use crate::{
    behaviours,
    fixtures::{SYNCED_AT, at, decision, id, key, organization},
    tables::{Tables, assert_items},
};

const LATER: &str = "2026-11-23T07:00:00Z";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn organizations_are_read_and_sync_failures_are_recorded() {
    behaviours![
        an_unknown_organization_is_none,
        an_unreadable_record_is_an_error_without_item_contents,
        next_syncs_are_read_in_batches_without_unreadable_items,
        a_changed_archived_flag_makes_an_organization_due,
        current_stages_are_read_in_batches_with_unreadable_items_as_none,
        a_failed_first_sync_creates_an_item_that_reads_as_none,
        a_sync_failure_is_recorded_beside_the_record,
        an_older_failure_changes_nothing,
    ];
}

async fn an_unknown_organization_is_none(tables: &Tables) {
    assert_eq!(tables.organizations().get(&id(1)).await.unwrap(), None);
    assert!(
        tables
            .organizations()
            .next_syncs(&[])
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        tables
            .organizations()
            .current_stages([id(1)])
            .await
            .unwrap()
            .is_empty()
    );
}

async fn an_unreadable_record_is_an_error_without_item_contents(tables: &Tables) {
    let broken = json!({ "organization_id": id(1).as_str(), "stage": "levitating", "name": "Kestrel Bakehouse" });
    tables.put("organizations", broken).await;
    let error = tables.organizations().get(&id(1)).await.unwrap_err();
    assert_eq!(
        (error.type_name(), error.is_retryable()),
        ("store_unreadable", false)
    );
    let shown = format!("{error} {error:?}");
    assert!(
        shown.contains("organizations") && shown.contains("organization_id"),
        "{shown}"
    );
    assert!(
        !shown.contains("levitating") && !shown.contains("Kestrel Bakehouse"),
        "{shown}"
    );
}

async fn next_syncs_are_read_in_batches_without_unreadable_items(tables: &Tables) {
    for number in 0..230 {
        let readable = json!({ "organization_id": id(number).as_str(), "next_check_at": LATER });
        let unreadable =
            json!({ "organization_id": id(number).as_str(), "next_check_at": "tomorrow" });
        let absent = json!({ "organization_id": id(number).as_str() });
        tables
            .put(
                "organizations",
                [readable, unreadable, absent][number % 10 % 3].clone(),
            )
            .await;
    }
    let mut ids: Vec<_> = (0..250).map(id).collect();
    ids.extend((0..120).map(id));
    let next_syncs = tables.organizations().next_syncs(&ids).await.unwrap();
    assert_eq!(
        next_syncs.len(),
        (0..230).filter(|number| number % 10 % 3 == 0).count()
    );
    assert!(
        next_syncs
            .values()
            .all(|next_check| next_check.at == at(LATER))
    );
    assert!(!next_syncs.contains_key(&id(1)) && !next_syncs.contains_key(&id(2)));
}

async fn a_changed_archived_flag_makes_an_organization_due(tables: &Tables) {
    let mut archived = decision(2, 1, SYNCED_AT, &[]);
    archived.organization.stage_reason = StageReason::Archived;
    for decision in [decision(1, 1, SYNCED_AT, &[]), archived] {
        tables
            .checks()
            .apply(&decision, None, &key())
            .await
            .unwrap();
    }
    let next_syncs = tables
        .organizations()
        .next_syncs(&[id(1), id(2)])
        .await
        .unwrap();
    let due = |number, archived| next_syncs[&id(number)].is_due(at(LATER), archived);
    assert_eq!(
        [due(1, false), due(1, true), due(2, false), due(2, true)],
        [false, true, true, false]
    );

    // One that BILL refuses to show is not tried again each hour.
    let tomorrow = at("2026-11-24T07:00:00Z");
    tables
        .organizations()
        .record_failure(&id(2), "bill_refused", at(LATER), tomorrow, at(LATER))
        .await
        .unwrap();
    let next_check = tables.organizations().next_syncs(&[id(2)]).await.unwrap()[&id(2)];
    assert_eq!(
        (
            next_check.is_due(at(LATER), false),
            next_check.is_due(tomorrow, false)
        ),
        (false, true)
    );
}

async fn current_stages_are_read_in_batches_with_unreadable_items_as_none(tables: &Tables) {
    for number in 0..3 {
        tables
            .checks()
            .apply(&decision(number, 1, SYNCED_AT, &[]), None, &key())
            .await
            .unwrap();
    }
    tables.put("organizations", json!({ "organization_id": id(3).as_str(), "stage": "levitating", "stage_since": SYNCED_AT })).await;
    tables
        .put(
            "organizations",
            json!({ "organization_id": id(4).as_str(), "sync_error": "bill_unavailable" }),
        )
        .await;
    let asked = (0..150).chain(0..150).map(id);
    let current_stages = tables.organizations().current_stages(asked).await.unwrap();
    let expected = Some(CurrentStage {
        stage: Stage::Dormant30,
        since: at(SYNCED_AT),
    });
    assert_eq!(
        current_stages,
        (0..3)
            .map(|number| (id(number), expected))
            .chain([(id(3), None)])
            .collect()
    );
}

async fn a_failed_first_sync_creates_an_item_that_reads_as_none(tables: &Tables) {
    let organizations = tables.organizations();
    organizations
        .record_failure(
            &id(1),
            "bill_unavailable",
            at("2026-11-23T06:00:00.5Z"),
            at(LATER),
            at("2026-11-23T06:00:00.5Z"),
        )
        .await
        .unwrap();
    assert_items!(tables.items("organizations").await, "failure");
    assert_eq!(organizations.get(&id(1)).await.unwrap(), None);
    assert_eq!(
        organizations.next_syncs(&[id(1)]).await.unwrap()[&id(1)],
        NextSync {
            at: at(LATER),
            was_archived: None
        }
    );
}

async fn a_sync_failure_is_recorded_beside_the_record(tables: &Tables) {
    tables
        .checks()
        .apply(&decision(1, 1, SYNCED_AT, &[]), None, &key())
        .await
        .unwrap();
    let organizations = tables.organizations();
    let next_check_at = at("2026-11-23T13:00:00Z");
    organizations
        .record_failure(
            &id(1),
            "bill_unavailable",
            at(LATER),
            next_check_at,
            at(LATER),
        )
        .await
        .unwrap();
    organizations
        .record_failure(
            &id(1),
            "bill_unavailable",
            at(LATER),
            next_check_at,
            at(LATER),
        )
        .await
        .unwrap();
    let mut expected = organization(1, 1, SYNCED_AT);
    expected.next_check_at = next_check_at;
    assert_eq!(organizations.get(&id(1)).await.unwrap(), Some(expected));
    assert_eq!(
        tables.items("organizations").await[0]["sync_error"],
        json!({ "S": "bill_unavailable" })
    );
}

async fn an_older_failure_changes_nothing(tables: &Tables) {
    tables
        .checks()
        .apply(&decision(1, 1, LATER, &[]), None, &key())
        .await
        .unwrap();
    tables
        .organizations()
        .record_failure(&id(2), "bill_unavailable", at(LATER), at(LATER), at(LATER))
        .await
        .unwrap();
    let before = tables.items("organizations").await;
    for number in [1, 2] {
        tables
            .organizations()
            .record_failure(
                &id(number),
                "bill_refused",
                at(SYNCED_AT),
                at(SYNCED_AT),
                at(SYNCED_AT),
            )
            .await
            .unwrap();
    }
    assert_eq!(tables.items("organizations").await, before);
}
