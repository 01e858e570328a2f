//! The verdicts of the guards on due notices.

use engagement::{Notice, NoticeReason};
use store::ClaimOutcome;

use super::fixtures::{contact, due_notice};
use crate::{
    fixtures::{COUNT_RETENTION, SYNCED_AT, at, claim, key, planned},
    scripted::{ScriptedDynamoDb, error_response, ok_response},
    tables::{Tables, assert_items},
};

const NOW: &str = "2026-11-23T12:00:00Z";
const LATER: &str = "2026-11-23T13:00:00Z";

#[tokio::test]
async fn a_due_notice_is_skipped_once() {
    let tables = &Tables::create().await;
    let (notices, notice) = (tables.notices(), due_notice(tables, 1).await);

    assert!(
        notices
            .skip(&notice, NoticeReason::StateChanged, at(NOW))
            .await
            .unwrap()
    );
    assert!(
        !notices
            .skip(&notice, NoticeReason::Expired, at(LATER))
            .await
            .unwrap()
    );

    let known = contact(tables, &notice).await;
    assert_eq!(
        notices
            .claim(&notice, known.as_ref(), &claim("claim-1x"), COUNT_RETENTION)
            .await
            .unwrap(),
        ClaimOutcome::NotDue
    );
    assert_items!(tables.items("notices").await, "skipped");
    assert_eq!(
        notices.due(at(LATER), 10, |_| true).await.unwrap().notices,
        []
    );
}

#[tokio::test]
async fn a_held_notice_stays_due_with_its_reason() {
    let tables = &Tables::create().await;
    let (notices, notice) = (tables.notices(), due_notice(tables, 1).await);

    for _ in 0..2 {
        assert!(
            notices
                .hold(&notice, NoticeReason::DryRun, at(NOW))
                .await
                .unwrap()
        );
    }

    let held = notices
        .due(at(NOW), 10, |_| true)
        .await
        .unwrap()
        .notices
        .remove(0);
    assert_eq!(
        held,
        Notice {
            reason: Some(NoticeReason::DryRun),
            updated_at: at(NOW),
            ..notice
        }
    );
}

#[tokio::test]
async fn an_update_that_conflicts_with_a_transaction_is_retried() {
    let dynamodb = ScriptedDynamoDb::start([
        error_response("TransactionConflictException"),
        ok_response(),
    ])
    .await;
    let notice = Notice::from_planned(planned(1, "marisol@kestrel.example", SYNCED_AT), &key());

    let skipped = dynamodb
        .notices()
        .skip(&notice, NoticeReason::Expired, at(SYNCED_AT))
        .await;

    assert_eq!(skipped, Ok(true));
}
