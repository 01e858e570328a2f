//! A notice is claimed once, and only as long as its contact does not change.

use engagement::{Notice, NoticeReason};
use futures::future::join_all;
use serde_json::{Value, json};
use store::{Claim, ClaimOutcome};

use super::fixtures::{claimed_notice, contact, due_notice, only_item};
use crate::{
    fixtures::{COUNT_RETENTION, SYNCED_AT, at, claim, key, planned, write_notices},
    scripted::{ScriptedDynamoDb, internal_server_error, transaction_cancelled},
    tables::{Tables, assert_items},
};

const NOW: &str = "2026-11-23T12:00:00Z";
const LATER: &str = "2026-11-23T13:00:00Z";

#[tokio::test]
async fn one_of_ten_concurrent_claimers_wins() {
    let tables = &Tables::create().await;
    let (notices, notice) = (tables.notices(), due_notice(tables, 1).await);
    let claims: Vec<Claim> = (0..10)
        .map(|claimer| claim(&format!("claim-{claimer}")))
        .collect();

    let outcomes = join_all(
        claims
            .iter()
            .map(|claim| notices.claim(&notice, None, claim, COUNT_RETENTION)),
    )
    .await;

    let won: Vec<usize> = (0..10)
        .filter(|claimer| outcomes[*claimer] == Ok(ClaimOutcome::Claimed))
        .collect();
    assert_eq!(won.len(), 1);
    assert_eq!(
        only_item(tables).await["claim_id"]["S"],
        format!("claim-{}", won[0])
    );
    assert_eq!(contact(tables, &notice).await.unwrap().mails, 1);

    assert_eq!(
        notices
            .claim(&notice, None, &claims[won[0]], COUNT_RETENTION)
            .await
            .unwrap(),
        ClaimOutcome::Claimed,
        "the same claim again"
    );
    assert_eq!(contact(tables, &notice).await.unwrap().mails, 1);
}

#[tokio::test]
async fn two_notices_for_one_address_are_not_claimed_from_the_same_contact_version() {
    let tables = &Tables::create().await;
    let planned = (1..=2)
        .map(|number| planned(number, "marisol@kestrel.example", "2026-11-23T06:00:00Z"))
        .collect();
    let (notices, written) = (tables.notices(), write_notices(tables, planned).await);
    let claims = [claim("claim-1"), claim("claim-2")];

    let outcomes = join_all(
        (0..2)
            .map(|number| notices.claim(&written[number], None, &claims[number], COUNT_RETENTION)),
    )
    .await;

    let mut outcomes: Vec<ClaimOutcome> = outcomes.into_iter().map(Result::unwrap).collect();
    outcomes.sort_by_key(|outcome| *outcome != ClaimOutcome::Claimed);
    assert_eq!(
        outcomes,
        [ClaimOutcome::Claimed, ClaimOutcome::ContactChanged]
    );

    let known = contact(tables, &written[0]).await.unwrap();
    let first_is_claimed =
        claimed_organization(tables).await == written[0].organization_id.as_str();
    let remaining = &written[usize::from(first_is_claimed)];
    assert_eq!(
        notices
            .claim(remaining, Some(&known), &claim("claim-3"), COUNT_RETENTION)
            .await
            .unwrap(),
        ClaimOutcome::Claimed
    );
    assert_eq!(contact(tables, &written[0]).await.unwrap().mails, 2);
}

#[tokio::test]
async fn emails_older_than_the_retention_are_dropped_from_the_contact() {
    let tables = &Tables::create().await;
    let (notices, first) = (tables.notices(), claimed_notice(tables).await);
    let known = contact(tables, &first).await.unwrap();
    let second = due_notice(tables, 2).await;

    let later = Claim {
        counted_at: at("2026-12-23T12:00:00Z"),
        ..claim("claim-2")
    };
    assert_eq!(
        notices
            .claim(&second, Some(&known), &later, COUNT_RETENTION)
            .await
            .unwrap(),
        ClaimOutcome::Claimed
    );

    let known = contact(tables, &first).await.unwrap();
    assert_eq!(
        (known.mails, known.recent_mails.len(), known.version),
        (2, 1, 2)
    );
}

#[tokio::test]
async fn a_claimed_notice_is_no_longer_due() {
    let tables = &Tables::create().await;
    let (notices, notice) = (tables.notices(), due_notice(tables, 1).await);
    assert!(
        notices
            .hold(&notice, NoticeReason::DryRun, at(NOW))
            .await
            .unwrap()
    );

    let claim = Claim {
        claimed_at: at(LATER),
        ..claim("claim-1")
    };
    assert_eq!(
        notices
            .claim(&notice, None, &claim, COUNT_RETENTION)
            .await
            .unwrap(),
        ClaimOutcome::Claimed
    );

    assert_items!(tables.items("notices").await, "claimed");
    assert_items!(tables.items("contacts").await, "contact");
    let due = notices.due(at(LATER), 10, |_| true).await.unwrap();
    assert_eq!(due.notices, []);
}

#[tokio::test]
async fn a_claim_is_recognized_by_its_id_after_a_lost_response() {
    for (holder, expected) in [
        ("claim-1", ClaimOutcome::Claimed),
        ("claim-2", ClaimOutcome::NotDue),
    ] {
        let mut cancelled =
            transaction_cancelled(&["ConditionalCheckFailed", "ConditionalCheckFailed"]);
        cancelled.1["CancellationReasons"][0]["Item"] =
            json!({ "claim_id": { "S": holder }, "status": { "S": "claimed" } });
        let dynamodb = ScriptedDynamoDb::start([internal_server_error(), cancelled]).await;

        let outcome = dynamodb
            .notices()
            .claim(&planned_notice(), None, &claim("claim-1"), COUNT_RETENTION)
            .await;

        assert_eq!(outcome, Ok(expected));
    }
}

#[tokio::test]
async fn a_claim_is_refused_when_only_the_contact_has_changed() {
    let cancelled = transaction_cancelled(&["None", "ConditionalCheckFailed"]);
    let dynamodb = ScriptedDynamoDb::start([cancelled]).await;

    let outcome = dynamodb
        .notices()
        .claim(&planned_notice(), None, &claim("claim-1"), COUNT_RETENTION)
        .await;

    assert_eq!(outcome, Ok(ClaimOutcome::ContactChanged));
}

/// The organization of the only claimed notice.
async fn claimed_organization(tables: &Tables) -> String {
    let items = tables.items("notices").await;
    let claimed: Vec<&Value> = items
        .iter()
        .filter(|item| item["status"]["S"] == "claimed")
        .collect();
    assert_eq!(claimed.len(), 1);

    claimed[0]["organization_id"]["S"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn planned_notice() -> Notice {
    Notice::from_planned(planned(1, "marisol@kestrel.example", SYNCED_AT), &key())
}
