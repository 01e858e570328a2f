//! A claim is settled once, and only by the claim that holds the notice.

use engagement::NoticeReason;
use store::{ClaimOutcome, StoreError, StoreErrorKind};

use super::fixtures::{claimed_notice, contact, only_item, status_of};
use crate::{
    fixtures::{COUNT_RETENTION, at, claim},
    tables::{Tables, assert_items},
};

const NOW: &str = "2026-11-23T12:00:00Z";
const LATER: &str = "2026-11-23T13:00:00Z";

#[tokio::test]
async fn marking_a_notice_sent_twice_changes_nothing() {
    let tables = &Tables::create().await;
    let (notices, notice) = (tables.notices(), claimed_notice(tables).await);

    for _ in 0..2 {
        notices
            .mark_sent(&notice, &claim("claim-1"), "message-1", at(LATER))
            .await
            .unwrap();
    }

    assert_items!(tables.items("notices").await, "sent");
    assert_eq!(contact(tables, &notice).await.unwrap().mails, 1);
}

#[tokio::test]
async fn another_claim_cannot_settle_the_notice() {
    let tables = &Tables::create().await;
    let (notices, notice) = (tables.notices(), claimed_notice(tables).await);
    let other = claim("claim-2");
    let before = tables.items("notices").await;

    assert_claim_lost(
        notices
            .mark_sent(&notice, &other, "message-1", at(LATER))
            .await,
    );
    assert_claim_lost(
        notices
            .release(
                &notice,
                &other,
                NoticeReason::Throttled,
                at(LATER),
                at(LATER),
            )
            .await,
    );
    assert_claim_lost(
        notices
            .mark_failed(&notice, &other, NoticeReason::MessageRejected, at(LATER))
            .await,
    );
    assert_claim_lost(
        notices
            .mark_unknown(&notice, &other, NoticeReason::NoAnswer, at(LATER))
            .await,
    );

    assert!(
        !notices
            .skip(&notice, NoticeReason::Expired, at(LATER))
            .await
            .unwrap()
    );
    assert!(
        !notices
            .hold(&notice, NoticeReason::DryRun, at(LATER))
            .await
            .unwrap()
    );
    assert!(
        !notices
            .defer(&notice, NoticeReason::Capped, at(LATER), at(LATER))
            .await
            .unwrap()
    );

    assert_eq!(tables.items("notices").await, before);
    assert_eq!(contact(tables, &notice).await.unwrap().mails, 1);
}

#[tokio::test]
async fn a_released_notice_is_due_again_later() {
    let tables = &Tables::create().await;
    let (notices, notice) = (tables.notices(), claimed_notice(tables).await);
    for _ in 0..2 {
        notices
            .release(
                &notice,
                &claim("claim-1"),
                NoticeReason::Throttled,
                at(LATER),
                at(NOW),
            )
            .await
            .unwrap();
    }
    assert_items!(tables.items("notices").await, "released");
    assert_eq!(
        notices.due(at(NOW), 10, |_| true).await.unwrap().notices,
        []
    );
    let known = contact(tables, &notice).await.unwrap();
    assert_eq!(
        (known.mails, known.recent_mails.len()),
        (0, 0),
        "an e-mail that was not sent does not count"
    );

    let again = notices
        .due(at(LATER), 10, |_| true)
        .await
        .unwrap()
        .notices
        .remove(0);
    assert_eq!(
        notices
            .claim(&again, Some(&known), &claim("claim-2"), COUNT_RETENTION)
            .await
            .unwrap(),
        ClaimOutcome::Claimed
    );
    assert_claim_lost(
        notices
            .release(
                &notice,
                &claim("claim-1"),
                NoticeReason::Throttled,
                at(LATER),
                at(LATER),
            )
            .await,
    );
    assert_claim_lost(
        notices
            .mark_sent(&notice, &claim("claim-1"), "message-1", at(LATER))
            .await,
    );
}

#[tokio::test]
async fn a_failed_notice_is_not_sent_again() {
    let tables = &Tables::create().await;
    let (notices, notice) = (tables.notices(), claimed_notice(tables).await);
    for _ in 0..2 {
        notices
            .mark_failed(
                &notice,
                &claim("claim-1"),
                NoticeReason::MessageRejected,
                at(LATER),
            )
            .await
            .unwrap();
    }
    assert_eq!(
        status_of(&only_item(tables).await),
        ("failed".to_owned(), Some("message_rejected".to_owned()))
    );
    let known = contact(tables, &notice).await.unwrap();
    assert_eq!(
        (known.mails, known.recent_mails.len()),
        (0, 0),
        "an e-mail that was not sent does not count"
    );

    let other = claim("claim-2");
    assert_eq!(
        notices
            .claim(&notice, Some(&known), &other, COUNT_RETENTION)
            .await
            .unwrap(),
        ClaimOutcome::NotDue
    );
    assert_claim_lost(
        notices
            .mark_sent(&notice, &other, "message-1", at(LATER))
            .await,
    );
    assert_claim_lost(
        notices
            .mark_unknown(&notice, &other, NoticeReason::NoAnswer, at(LATER))
            .await,
    );
}

fn assert_claim_lost(outcome: Result<(), StoreError>) {
    let error = outcome.unwrap_err();
    assert!(
        error.kind() == StoreErrorKind::ClaimLost && !error.is_retryable(),
        "{error}"
    );
}
