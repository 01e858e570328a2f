//! Record, transition and notices are written together, and only over what the decision rests on.

use engagement::Name;
use futures::future::join_all;
use store::{Claimed, WriteOutcome};

use crate::{
    behaviours,
    fixtures::{MONTH, SYNCED_AT, at, claim, decision, id, key, organization},
    tables::{Tables, assert_items},
};

const LATER: &str = "2026-11-23T07:00:00Z";
const ADDRESSES: [&str; 2] = ["Marisol@kestrel.example", "tomas@kestrel.example"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_is_written_atomically_once_and_never_over_newer_data() {
    behaviours![
        record_transition_and_notices_are_written_together,
        times_are_truncated_to_seconds_in_every_table,
        a_decision_applied_twice_is_superseded,
        a_stale_version_writes_nothing,
        an_older_sync_never_overwrites_a_newer_one,
        a_sync_never_undoes_a_concurrent_make_due,
        one_of_ten_concurrent_writers_wins,
        an_existing_notice_is_never_overwritten,
        a_decision_that_dynamodb_refuses_writes_nothing,
        a_successful_sync_clears_the_recorded_failure,
    ];
}

async fn record_transition_and_notices_are_written_together(tables: &Tables) {
    let decision = decision(1, 1, SYNCED_AT, &ADDRESSES);
    let applied = tables
        .checks()
        .apply(&decision, None, &key())
        .await
        .unwrap();
    assert_eq!(
        applied,
        WriteOutcome::Written {
            notices: 2,
            notices_existing: 0
        }
    );
    assert_items!(tables.items("organizations").await, "organization");
    assert_items!(tables.items("transitions").await, "transition");
    assert_items!(tables.items("notices").await, "notices");
    assert_eq!(
        tables.organizations().get(&id(1)).await.unwrap(),
        Some(decision.organization)
    );
}

async fn times_are_truncated_to_seconds_in_every_table(tables: &Tables) {
    let decision = decision(1, 1, "2026-11-23T06:00:00.75Z", &ADDRESSES);
    tables
        .checks()
        .apply(&decision, None, &key())
        .await
        .unwrap();
    let organization = tables.organizations().get(&id(1)).await.unwrap().unwrap();
    assert_eq!(
        (organization.checked_at, organization.stage_since),
        (at(SYNCED_AT), at(SYNCED_AT))
    );
    for notice in tables
        .notices()
        .due(at(LATER), 10, |_| true)
        .await
        .unwrap()
        .notices
    {
        assert_eq!(
            (notice.stage_since, notice.due_at),
            (organization.stage_since, at(SYNCED_AT))
        );
        assert!(
            notice.notice.as_str().starts_with("2026-11-23T06:00:00Z#"),
            "{}",
            notice.notice
        );
    }
    let written = serde_json::to_string(&tables.items("transitions").await).unwrap();
    assert!(
        written.contains(SYNCED_AT) && !written.contains("00.75"),
        "{written}"
    );
}

async fn a_decision_applied_twice_is_superseded(tables: &Tables) {
    let decision = decision(1, 1, SYNCED_AT, &ADDRESSES);
    tables
        .checks()
        .apply(&decision, None, &key())
        .await
        .unwrap();
    assert_eq!(
        tables
            .checks()
            .apply(&decision, None, &key())
            .await
            .unwrap(),
        WriteOutcome::Superseded
    );
    assert_eq!(tables.items("notices").await.len(), 2);
}

async fn a_stale_version_writes_nothing(tables: &Tables) {
    tables
        .checks()
        .apply(&decision(1, 1, SYNCED_AT, &[]), None, &key())
        .await
        .unwrap();
    let before = tables.items("organizations").await;
    let applied = tables
        .checks()
        .apply(
            &decision(1, 8, LATER, &ADDRESSES),
            Some(&organization(1, 7, SYNCED_AT)),
            &key(),
        )
        .await
        .unwrap();
    assert_eq!(applied, WriteOutcome::Superseded);
    assert_eq!(tables.items("organizations").await, before);
    assert_eq!(tables.items("transitions").await.len(), 1);
    assert_eq!(tables.items("notices").await.len(), 0);
}

async fn an_older_sync_never_overwrites_a_newer_one(tables: &Tables) {
    tables
        .checks()
        .apply(&decision(1, 1, LATER, &[]), None, &key())
        .await
        .unwrap();
    let previous = organization(1, 1, LATER);
    for checked_at in [SYNCED_AT, LATER, "2026-11-23T07:00:00.9Z"] {
        let applied = tables
            .checks()
            .apply(
                &decision(1, 2, checked_at, &ADDRESSES),
                Some(&previous),
                &key(),
            )
            .await
            .unwrap();
        assert_eq!(applied, WriteOutcome::Superseded, "{checked_at}");
    }
    let newer = tables
        .checks()
        .apply(
            &decision(1, 2, "2026-11-23T07:00:01Z", &[]),
            Some(&previous),
            &key(),
        )
        .await
        .unwrap();
    assert_eq!(
        newer,
        WriteOutcome::Written {
            notices: 0,
            notices_existing: 0
        }
    );
    assert_eq!(tables.items("notices").await.len(), 0);
}

async fn a_sync_never_undoes_a_concurrent_make_due(tables: &Tables) {
    tables
        .checks()
        .apply(&decision(1, 1, SYNCED_AT, &[]), None, &key())
        .await
        .unwrap();
    let previous = organization(1, 1, SYNCED_AT);
    let noon = at("2026-11-23T12:00:00Z");
    tables
        .organizations()
        .record_failure(&id(1), "bill_hour_exhausted", noon, noon, noon)
        .await
        .unwrap();
    let applied = tables
        .checks()
        .apply(&decision(1, 2, LATER, &ADDRESSES), Some(&previous), &key())
        .await
        .unwrap();
    assert_eq!(applied, WriteOutcome::Superseded);
    assert_eq!(
        tables.organizations().next_syncs(&[id(1)]).await.unwrap()[&id(1)].at,
        noon
    );

    let previous = tables.organizations().get(&id(1)).await.unwrap();
    let applied = tables
        .checks()
        .apply(
            &decision(1, 2, LATER, &ADDRESSES),
            previous.as_ref(),
            &key(),
        )
        .await
        .unwrap();
    assert_eq!(
        applied,
        WriteOutcome::Written {
            notices: 2,
            notices_existing: 0
        },
        "a check that knows of it"
    );
}

async fn one_of_ten_concurrent_writers_wins(tables: &Tables) {
    let (checks, key) = (tables.checks(), key());
    for version in [1, 2] {
        let previous = tables.organizations().get(&id(1)).await.unwrap();
        let decisions = (0..10).map(|writer| {
            let (moment, address) = (
                format!("2026-11-23T0{version}:00:0{writer}Z"),
                format!("writer{writer}@kestrel.example"),
            );
            decision(1, version, &moment, &[&address])
        });
        let decisions: Vec<_> = decisions.collect();
        let applied = join_all(
            decisions
                .iter()
                .map(|decision| checks.apply(decision, previous.as_ref(), &key)),
        )
        .await;
        let written = applied
            .into_iter()
            .map(Result::unwrap)
            .filter(|applied| *applied != WriteOutcome::Superseded);
        assert_eq!(
            written.collect::<Vec<_>>(),
            [WriteOutcome::Written {
                notices: 1,
                notices_existing: 0
            }]
        );
    }
    assert_eq!(
        tables
            .organizations()
            .get(&id(1))
            .await
            .unwrap()
            .unwrap()
            .version,
        2
    );
    assert_eq!(tables.items("transitions").await.len(), 2);
    assert_eq!(tables.items("notices").await.len(), 2);
}

async fn an_existing_notice_is_never_overwritten(tables: &Tables) {
    tables
        .checks()
        .apply(&decision(1, 1, SYNCED_AT, &ADDRESSES[..1]), None, &key())
        .await
        .unwrap();
    let claimed = tables
        .notices()
        .due(at(SYNCED_AT), 1, |_| true)
        .await
        .unwrap()
        .notices
        .remove(0);
    assert_eq!(
        tables
            .notices()
            .claim(&claimed, None, &claim("claim-1"), MONTH)
            .await,
        Ok(Claimed::Yes)
    );
    let before = tables.items("notices").await;

    let mut again = decision(1, 2, LATER, &[]);
    again.notices = decision(1, 1, SYNCED_AT, &ADDRESSES).notices;
    let applied = tables
        .checks()
        .apply(&again, Some(&organization(1, 1, SYNCED_AT)), &key())
        .await
        .unwrap();
    assert_eq!(
        applied,
        WriteOutcome::Written {
            notices: 1,
            notices_existing: 1
        }
    );
    let after = tables.items("notices").await;
    assert_eq!(after.len(), 2);
    assert!(after.contains(&before[0]));

    let previous = again.organization.clone();
    again.organization.version = 3;
    again.organization.checked_at = at("2026-11-23T08:00:00Z");
    let applied = tables
        .checks()
        .apply(&again, Some(&previous), &key())
        .await
        .unwrap();
    assert_eq!(
        applied,
        WriteOutcome::Written {
            notices: 0,
            notices_existing: 2
        }
    );
    assert_eq!(tables.items("notices").await, after);
}

async fn a_decision_that_dynamodb_refuses_writes_nothing(tables: &Tables) {
    let mut decision = decision(1, 1, SYNCED_AT, &ADDRESSES);
    decision.notices[1].organization_name = Some(Name::new("x".repeat(500_000)));
    let refused = tables
        .checks()
        .apply(&decision, None, &key())
        .await
        .unwrap_err();
    assert_eq!(
        (refused.type_name(), refused.is_retryable()),
        ("store_refused", false)
    );
    assert!(
        refused.to_string().len() < 200,
        "an error shows no contents: {refused}"
    );
    for table in ["organizations", "transitions", "notices"] {
        assert_eq!(tables.items(table).await.len(), 0, "{table}");
    }
}

async fn a_successful_sync_clears_the_recorded_failure(tables: &Tables) {
    let organizations = tables.organizations();
    organizations
        .record_failure(
            &id(1),
            "bill_unavailable",
            at(SYNCED_AT),
            at(LATER),
            at(SYNCED_AT),
        )
        .await
        .unwrap();
    assert_eq!(organizations.get(&id(1)).await.unwrap(), None);
    let applied = tables
        .checks()
        .apply(&decision(1, 1, LATER, &[]), None, &key())
        .await
        .unwrap();
    assert_eq!(
        applied,
        WriteOutcome::Written {
            notices: 0,
            notices_existing: 0
        }
    );
    let item = &tables.items("organizations").await[0];
    assert!(
        item.get("sync_error").is_none() && item.get("sync_failed_at").is_none(),
        "{item}"
    );
}
