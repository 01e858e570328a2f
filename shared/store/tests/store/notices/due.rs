//! Reading due notices from all buckets and pages.

use std::collections::BTreeSet;

use engagement::{Name, NoticeStatus, due_bucket};
use serde_json::json;
use store::ClaimOutcome;

use crate::{
    fixtures::{COUNT_RETENTION, at, claim, id, planned, write_notices},
    tables::Tables,
};

const NOW: &str = "2026-11-23T12:00:00Z";

#[tokio::test]
async fn every_bucket_is_read_and_the_most_urgent_come_first() {
    let tables = &Tables::create().await;
    let notices = (0..60).map(|number| {
        let mut notice = planned(number, "marisol@kestrel.example", "2026-11-23T06:00:00Z");
        notice.priority = u8::try_from(number % 3).unwrap();
        notice.due_at = at(&format!("2026-11-23T{:02}:00:00Z", number % 7));
        notice
    });
    let written = write_notices(tables, notices.collect()).await;
    let buckets: BTreeSet<u8> = written
        .iter()
        .map(|notice| due_bucket(&notice.organization_id))
        .collect();
    assert_eq!(buckets.len(), 8);

    let mut expected = written;
    expected.sort_by_key(|notice| {
        (
            u8::MAX - notice.priority,
            notice.due_at,
            notice.organization_id.clone(),
        )
    });
    let notices = tables.notices();
    let due = async |limit| notices.due(at(NOW), limit, |_| true).await.unwrap();
    let all = due(1_000).await;
    assert_eq!((&all.notices, all.unreadable), (&expected, 0));
    assert_eq!(due(60).await.notices, expected);
    assert_eq!(due(7).await.notices.len(), 7);
    assert_eq!(due(0).await.notices.len(), 0);
}

#[tokio::test]
async fn every_query_page_is_read() {
    let tables = &Tables::create().await;
    let bucket = due_bucket(&id(0));
    let notices = (0..)
        .filter(|number| due_bucket(&id(*number)) == bucket)
        .take(12)
        .map(|number| {
            let mut notice = planned(number, "marisol@kestrel.example", "2026-11-23T06:00:00Z");
            notice.organization_name = Some(Name::new("x".repeat(200_000)));
            notice
        });
    write_notices(tables, notices.collect()).await;

    let due = tables.notices().due(at(NOW), 100, |_| true).await.unwrap();

    assert_eq!(due.notices.len(), 12);
}

#[tokio::test]
async fn unreadable_notices_are_counted_and_skipped() {
    let tables = &Tables::create().await;
    let written = write_notices(
        tables,
        vec![planned(
            1,
            "marisol@kestrel.example",
            "2026-11-23T06:00:00Z",
        )],
    )
    .await;
    for number in 0..9 {
        let broken = json!({
            "organization_id": id(1).as_str(),
            "notice": format!("{number}"),
            "status": "due",
            "due_bucket": due_bucket(&id(1)),
            "due_at": "2026-11-22T06:00:00Z",
            "stage": "no such stage",
        });
        tables.put("notices", broken).await;
    }

    let due = tables.notices().due(at(NOW), 2, |_| true).await.unwrap();

    assert_eq!((due.notices, due.unreadable), (written, 9));
}

#[tokio::test]
async fn only_due_notices_are_listed() {
    let tables = &Tables::create().await;
    let mut later = planned(1, "marisol@kestrel.example", "2026-11-23T06:00:00Z");
    later.due_at = at("2026-11-23T12:00:01Z");
    let mut now = planned(2, "marisol@kestrel.example", "2026-11-23T06:00:00Z");
    now.due_at = at(NOW);
    let claimed = planned(3, "marisol@kestrel.example", "2026-11-23T06:00:00Z");
    let written = write_notices(tables, vec![later, now, claimed]).await;
    assert_eq!(
        tables
            .notices()
            .claim(&written[2], None, &claim("claim-1"), COUNT_RETENTION)
            .await
            .unwrap(),
        ClaimOutcome::Claimed
    );

    let due = tables
        .notices()
        .due(at("2026-11-23T12:00:00.4Z"), 10, |_| true)
        .await
        .unwrap();

    assert_eq!(due.notices, written[1..2]);
    assert_eq!(due.notices[0].status, NoticeStatus::Due);
}
