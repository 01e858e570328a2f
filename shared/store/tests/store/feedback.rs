//! Feedback: whatever order it comes in and however often, notices and contacts end alike.

use engagement::{
    AddressHash, Bounce, Feedback, MailEvent, Notice, NoticeId, NoticeReason, Suppression,
};
use futures::future::join_all;
use store::FeedbackOutcome;

use crate::{
    behaviours,
    fixtures::{at, key, planned, write_notices},
    tables::{Tables, assert_items},
};

const NOW: &str = "2026-11-23T12:00:00Z";
const LATER: &str = "2026-11-23T13:00:00Z";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn feedback_converges() {
    behaviours![
        the_highest_ranked_feedback_wins_in_every_order,
        feedback_settles_a_notice_in_any_earlier_status,
        a_notice_settled_by_feedback_is_no_longer_due,
        feedback_never_creates_a_notice,
        an_invalid_notice_id_is_a_permanent_error,
        a_contact_keeps_the_earliest_bounce_and_complaint,
        a_repeated_soft_bounce_event_counts_once,
        three_soft_bounces_suppress_the_address,
    ];
}

async fn the_highest_ranked_feedback_wins_in_every_order(tables: &Tables) {
    let events = [
        MailEvent::Sent,
        MailEvent::Delayed,
        MailEvent::Delivered,
        MailEvent::Bounced(Bounce::Soft),
        MailEvent::Bounced(Bounce::Hard),
    ];
    for (number, order) in orders(&events).into_iter().enumerate() {
        let notice = due(tables, number).await;
        let told = order.iter().chain(&order).map(|event| feedback(*event));
        for feedback in told.collect::<Vec<_>>() {
            tables
                .notices()
                .feedback(&notice.id(), &feedback, at(NOW))
                .await
                .unwrap();
        }
        assert_eq!(
            status(tables, &notice).await,
            ("bounced".to_owned(), Some("hard_bounce".to_owned())),
            "{order:?}"
        );
    }
    let notice = due(tables, 1000).await;
    let (notices, id) = (tables.notices(), notice.id());
    let told = events.map(feedback);
    let recorded = join_all(
        told.iter()
            .chain(&told)
            .map(|feedback| notices.feedback(&id, feedback, at(NOW))),
    )
    .await;
    assert!(recorded.into_iter().all(|recorded| recorded.is_ok()));
    assert_eq!(
        status(tables, &notice).await,
        ("bounced".to_owned(), Some("hard_bounce".to_owned())),
        "side by side"
    );
}

async fn feedback_settles_a_notice_in_any_earlier_status(tables: &Tables) {
    for (number, left) in ["due", "claimed", "unknown", "failed", "skipped", "sent"]
        .into_iter()
        .enumerate()
    {
        let notice = due(tables, number).await;
        tables.set(&notice, "status", left).await;
        let recorded = tables
            .notices()
            .feedback(&notice.id(), &feedback(MailEvent::Sent), at(LATER))
            .await
            .unwrap();
        assert_eq!(recorded, FeedbackOutcome::Changed, "{left}");
        assert_eq!(
            status(tables, &notice).await,
            ("sent".to_owned(), None),
            "{left}"
        );
        let again = tables
            .notices()
            .feedback(&notice.id(), &feedback(MailEvent::Sent), at(LATER))
            .await
            .unwrap();
        assert_eq!(again, FeedbackOutcome::AlreadyKnown, "{left}");
    }
    assert_items!(
        tables
            .items("notices")
            .await
            .into_iter()
            .take(1)
            .collect::<Vec<_>>(),
        "settled"
    );
}

async fn a_notice_settled_by_feedback_is_no_longer_due(tables: &Tables) {
    let notice = due(tables, 1).await;
    tables.set(&notice, "message_id", "the first").await;
    tables
        .notices()
        .feedback(&notice.id(), &feedback(MailEvent::Delayed), at(NOW))
        .await
        .unwrap();
    assert_eq!(
        tables
            .notices()
            .due(at(LATER), 10, |_| true)
            .await
            .unwrap()
            .notices,
        []
    );
    assert!(
        !tables
            .notices()
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
        "what its notifier wrote stays"
    );
}

async fn feedback_never_creates_a_notice(tables: &Tables) {
    let notice = Notice::due(planned(1, "marisol@kestrel.example", NOW), &key());
    let recorded = tables
        .notices()
        .feedback(&notice.id(), &feedback(MailEvent::Complained), at(NOW))
        .await
        .unwrap();
    assert_eq!(recorded, FeedbackOutcome::NoSuchNotice);
    assert_eq!(tables.items("notices").await.len(), 0);
}

async fn an_invalid_notice_id_is_a_permanent_error(tables: &Tables) {
    let id: NoticeId = "MDA4Lw".parse().unwrap(); // 008/
    assert_eq!(id.notice.as_str(), "");
    let error = tables
        .notices()
        .feedback(&id, &feedback(MailEvent::Sent), at(NOW))
        .await
        .unwrap_err();
    assert_eq!(
        (error.type_name(), error.is_retryable()),
        ("store_refused", false)
    );
}

async fn a_contact_keeps_the_earliest_bounce_and_complaint(tables: &Tables) {
    let (contacts, [early, late]) = (tables.contacts(), [NOW, LATER].map(at));
    assert!(contacts.hard_bounced(&marisol(), late).await.unwrap());
    assert!(contacts.hard_bounced(&marisol(), early).await.unwrap());
    assert!(contacts.complained(&marisol(), early).await.unwrap());
    for moment in [late, early] {
        assert!(!contacts.hard_bounced(&marisol(), moment).await.unwrap());
        assert!(!contacts.complained(&marisol(), moment).await.unwrap());
    }
    let contact = contacts.get(&marisol()).await.unwrap().unwrap();
    assert_eq!(
        (
            contact.hard_bounced_at,
            contact.complained_at,
            contact.version
        ),
        (Some(early), Some(early), 3)
    );
    assert_items!(tables.items("contacts").await, "suppressed_contact");
}

async fn a_repeated_soft_bounce_event_counts_once(tables: &Tables) {
    let contacts = tables.contacts();
    let told = join_all(["b-1", "b-2", "b-1", "b-2", "b-1"].map(|id| {
        let contacts = &contacts;
        async move {
            contacts
                .soft_bounced(&marisol(), at(NOW), id)
                .await
                .unwrap()
        }
    }));
    assert_eq!(told.await.into_iter().filter(|changed| *changed).count(), 2);
    let contact = contacts.get(&marisol()).await.unwrap().unwrap();
    assert_eq!((contact.soft_bounces.len(), contact.version), (2, 2));
    assert_eq!(contact.suppression(), None);
}

async fn three_soft_bounces_suppress_the_address(tables: &Tables) {
    for (moment, id) in [(LATER, "b-3"), (NOW, "b-1"), (NOW, "b-2")] {
        assert!(
            tables
                .contacts()
                .soft_bounced(&marisol(), at(moment), id)
                .await
                .unwrap()
        );
    }
    let contact = tables.contacts().get(&marisol()).await.unwrap().unwrap();
    assert_eq!(contact.suppression(), Some(Suppression::SoftBounces));
}

fn feedback(event: MailEvent) -> Feedback {
    Feedback::new(event, Some("message-1".to_owned()), at(NOW))
}

fn marisol() -> AddressHash {
    key().hash(&"marisol@kestrel.example".parse().unwrap())
}

/// Every order of a few things.
fn orders(events: &[MailEvent]) -> Vec<Vec<MailEvent>> {
    let [first, rest @ ..] = events else {
        return vec![Vec::new()];
    };
    let shorter = orders(rest);
    shorter
        .iter()
        .flat_map(|order| {
            (0..=order.len()).map(|place| {
                let mut longer = order.clone();
                longer.insert(place, *first);
                longer
            })
        })
        .collect()
}

async fn due(tables: &Tables, number: usize) -> Notice {
    write_notices(
        tables,
        vec![planned(
            number,
            "marisol@kestrel.example",
            "2026-11-23T06:00:00Z",
        )],
    )
    .await
    .remove(0)
}

async fn status(tables: &Tables, notice: &Notice) -> (String, Option<String>) {
    let items = tables.items("notices").await;
    let item = items
        .iter()
        .find(|item| item["organization_id"]["S"] == notice.organization_id.as_str())
        .unwrap();
    (
        item["status"]["S"].as_str().unwrap().to_owned(),
        item["reason"]["S"].as_str().map(str::to_owned),
    )
}
