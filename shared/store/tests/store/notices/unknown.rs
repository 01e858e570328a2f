//! Notices whose outcome is unknown are not sent again, and their own claims can settle them.

use engagement::NoticeReason;
use serde_json::Value;
use store::{Claim, ClaimOutcome};

use super::fixtures::{claimed_notice, contact, only_item, status_of};
use crate::{
    fixtures::{COUNT_RETENTION, at, claim, id, planned, write_notices},
    tables::Tables,
};

const NOW: &str = "2026-11-23T12:00:00Z";
const LATER: &str = "2026-11-23T13:00:00Z";

#[tokio::test]
async fn an_unknown_notice_is_marked_sent_by_its_own_late_claim() {
    let tables = &Tables::create().await;
    let (notices, notice) = (tables.notices(), claimed_notice(tables).await);
    for _ in 0..2 {
        notices
            .mark_unknown(
                &notice,
                &claim("claim-1"),
                NoticeReason::NoAnswer,
                at(LATER),
            )
            .await
            .unwrap();
    }
    assert_eq!(
        status_of(&only_item(tables).await),
        ("unknown".to_owned(), Some("no_answer".to_owned()))
    );

    let known = contact(tables, &notice).await;
    assert_eq!(
        notices
            .claim(&notice, known.as_ref(), &claim("claim-2x"), COUNT_RETENTION)
            .await
            .unwrap(),
        ClaimOutcome::NotDue
    );
    assert_eq!(
        notices.due(at(LATER), 10, |_| true).await.unwrap().notices,
        []
    );

    notices
        .mark_sent(&notice, &claim("claim-1"), "message-1", at(LATER))
        .await
        .unwrap();
    assert_eq!(
        status_of(&only_item(tables).await),
        ("sent".to_owned(), None)
    );
}

#[tokio::test]
async fn only_claims_older_than_the_limit_are_abandoned() {
    let tables = &Tables::create().await;
    let planned = (0..4)
        .map(|number| planned(number, "marisol@kestrel.example", "2026-11-23T06:00:00Z"))
        .collect();
    let (notices, written) = (tables.notices(), write_notices(tables, planned).await);
    let claim_times = ["2026-11-23T11:00:00Z", "2026-11-23T11:59:59Z", NOW];
    for (number, claimed_at) in claim_times.iter().enumerate() {
        let known = contact(tables, &written[0]).await;
        let claim = Claim {
            claimed_at: at(claimed_at),
            ..claim(&format!("claim-{number}"))
        };
        assert_eq!(
            notices
                .claim(&written[number], known.as_ref(), &claim, COUNT_RETENTION)
                .await
                .unwrap(),
            ClaimOutcome::Claimed
        );
    }

    assert_eq!(notices.abandon_claims(at(NOW), at(LATER)).await.unwrap(), 2);
    assert_eq!(notices.abandon_claims(at(NOW), at(LATER)).await.unwrap(), 0);

    let items = tables.items("notices").await;
    let statuses: Vec<&Value> = items.iter().map(|item| &item["status"]["S"]).collect();
    assert_eq!(statuses, ["unknown", "unknown", "claimed", "due"]);
    let first = items
        .iter()
        .find(|item| item["organization_id"]["S"] == id(0).as_str())
        .unwrap();
    assert_eq!(
        (&first["reason"]["S"], &first["claim_id"]["S"]),
        (&"claim_abandoned".into(), &"claim-0".into())
    );

    let count = async |from, until| notices.count_unknown(at(from)..=at(until)).await.unwrap();
    assert_eq!(
        count("2026-11-22T14:00:00Z", "2026-11-23T12:59:59Z").await,
        0,
        "before they became unknown"
    );
    assert_eq!(
        count("2026-11-22T14:00:00Z", "2026-11-23T14:00:00Z").await,
        2
    );
    assert_eq!(
        count("2026-11-23T14:00:00Z", "2026-11-24T14:00:00Z").await,
        0,
        "after they became unknown"
    );
}
