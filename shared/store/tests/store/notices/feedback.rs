//! Notices end in the same status for every order and repetition of SES's events.

use engagement::{Bounce, Feedback, MailEvent, Notice, NoticeId, NoticeReason};
use futures::future::join_all;
use store::{FeedbackOutcome, StoreErrorKind};

use super::fixtures::{due_notice, status_of};
use crate::{
    fixtures::{at, key, planned},
    tables::{Tables, assert_items},
};

const NOW: &str = "2026-11-23T12:00:00Z";
const LATER: &str = "2026-11-23T13:00:00Z";

#[tokio::test]
async fn the_highest_ranked_feedback_wins_in_every_order() {
    let tables = &Tables::create().await;
    let events = [
        MailEvent::Sent,
        MailEvent::Delayed,
        MailEvent::Delivered,
        MailEvent::Bounced(Bounce::Soft),
        MailEvent::Bounced(Bounce::Hard),
    ];
    let hard_bounce = ("bounced".to_owned(), Some("hard_bounce".to_owned()));

    for (number, order) in permutations(&events).into_iter().enumerate() {
        let notice = due_notice(tables, number).await;
        for event in order.iter().chain(&order) {
            record(tables, &notice, *event, NOW).await;
        }
        assert_eq!(status(tables, &notice).await, hard_bounce, "{order:?}");
    }

    let notice = due_notice(tables, 1000).await;
    join_all(
        events
            .iter()
            .chain(&events)
            .map(|event| record(tables, &notice, *event, NOW)),
    )
    .await;
    assert_eq!(
        status(tables, &notice).await,
        hard_bounce,
        "recorded concurrently"
    );
}

#[tokio::test]
async fn feedback_settles_a_notice_in_any_earlier_status() {
    let tables = &Tables::create().await;
    let statuses = ["due", "claimed", "unknown", "failed", "skipped", "sent"];
    for (number, earlier) in statuses.into_iter().enumerate() {
        let notice = due_notice(tables, number).await;
        tables.set(&notice, "status", earlier).await;

        let outcome = record(tables, &notice, MailEvent::Sent, LATER).await;

        assert_eq!(outcome, FeedbackOutcome::Updated, "{earlier}");
        assert_eq!(
            status(tables, &notice).await,
            ("sent".to_owned(), None),
            "{earlier}"
        );
        let again = record(tables, &notice, MailEvent::Sent, LATER).await;
        assert_eq!(again, FeedbackOutcome::AlreadyKnown, "{earlier}");
    }

    let items = tables.items("notices").await;
    assert_items!(&items[..1], "settled");
}

#[tokio::test]
async fn a_notice_settled_by_feedback_is_no_longer_due() {
    let tables = &Tables::create().await;
    let notice = due_notice(tables, 1).await;
    tables.set(&notice, "message_id", "the first").await;

    record(tables, &notice, MailEvent::Delayed, NOW).await;

    let notices = tables.notices();
    assert_eq!(
        notices.due(at(LATER), 10, |_| true).await.unwrap().notices,
        []
    );
    assert!(
        !notices
            .skip(&notice, NoticeReason::Expired, at(LATER))
            .await
            .unwrap()
    );
    assert_eq!(
        status(tables, &notice).await,
        ("sent".to_owned(), Some("delivery_delayed".to_owned()))
    );
    assert_eq!(
        tables.items("notices").await[0]["message_id"]["S"],
        "the first",
        "the message id of the notifier is kept"
    );
}

#[tokio::test]
async fn feedback_never_creates_a_notice() {
    let tables = &Tables::create().await;
    let notice = Notice::from_planned(planned(1, "marisol@kestrel.example", NOW), &key());

    let outcome = record(tables, &notice, MailEvent::Complained, NOW).await;

    assert_eq!(outcome, FeedbackOutcome::NoSuchNotice);
    assert_eq!(tables.items("notices").await.len(), 0);
}

#[tokio::test]
async fn an_invalid_notice_id_is_a_permanent_error() {
    let tables = &Tables::create().await;
    let id: NoticeId = "MDA4Lw".parse().unwrap(); // `008/`
    assert_eq!(id.notice.as_str(), "", "the sort key is empty");

    let error = tables
        .notices()
        .record_feedback(&id, &feedback(MailEvent::Sent), at(NOW))
        .await
        .unwrap_err();

    assert_eq!(
        (error.kind(), error.is_retryable()),
        (StoreErrorKind::InvalidRequest, false)
    );
}

async fn record(tables: &Tables, notice: &Notice, event: MailEvent, now: &str) -> FeedbackOutcome {
    tables
        .notices()
        .record_feedback(&notice.id(), &feedback(event), at(now))
        .await
        .unwrap()
}

fn feedback(event: MailEvent) -> Feedback {
    Feedback::new(event, Some("message-1".to_owned()), at(NOW))
}

async fn status(tables: &Tables, notice: &Notice) -> (String, Option<String>) {
    let items = tables.items("notices").await;
    let item = items
        .iter()
        .find(|item| item["organization_id"]["S"] == notice.organization_id.as_str())
        .unwrap();

    status_of(item)
}

/// All orders of the events.
fn permutations(events: &[MailEvent]) -> Vec<Vec<MailEvent>> {
    let [first, rest @ ..] = events else {
        return vec![Vec::new()];
    };

    permutations(rest)
        .iter()
        .flat_map(|order| {
            (0..=order.len()).map(|index| {
                let mut longer = order.clone();
                longer.insert(index, *first);
                longer
            })
        })
        .collect()
}
