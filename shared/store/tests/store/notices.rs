//! The life of a notice: every change under its condition, also when it is made twice.

use engagement::{Contact, Notice, NoticeReason};
use futures::future::join_all;
use serde_json::Value;
use store::{Claim, Claimed, StoreError};

use crate::{
    behaviours,
    fixtures::{MONTH, at, claim, id, planned, write_notices},
    tables::{Tables, assert_items},
};

const NOW: &str = "2026-11-23T12:00:00Z";
const LATER: &str = "2026-11-23T13:00:00Z";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_changes_only_under_its_conditions() {
    behaviours![
        one_of_ten_concurrent_claimers_wins,
        two_notices_for_one_address_are_not_claimed_from_the_same_contact_version,
        emails_older_than_the_retention_are_dropped_from_the_contact,
        a_claimed_notice_is_no_longer_due,
        marking_a_notice_sent_twice_changes_nothing,
        another_claim_cannot_settle_the_notice,
        a_released_notice_is_due_again_later,
        a_failed_notice_is_not_sent_again,
        an_unknown_notice_is_marked_sent_by_its_own_late_claim,
        a_due_notice_is_skipped_once,
        a_held_notice_stays_due_with_its_reason,
        only_claims_older_than_the_limit_are_abandoned,
    ];
}

async fn one_of_ten_concurrent_claimers_wins(tables: &Tables) {
    let (notices, notice) = (tables.notices(), due(tables).await);
    let claims: Vec<Claim> = (0..10)
        .map(|claimer| claim(&format!("claim-{claimer}")))
        .collect();
    let outcomes = join_all(
        claims
            .iter()
            .map(|claim| notices.claim(&notice, None, claim, MONTH)),
    )
    .await;
    let won: Vec<usize> = (0..10)
        .filter(|claimer| {
            outcomes[*claimer]
                .as_ref()
                .is_ok_and(|claimed| *claimed == Claimed::Yes)
        })
        .collect();
    assert_eq!(won.len(), 1);
    assert_eq!(
        only(tables).await["claim_id"]["S"],
        format!("claim-{}", won[0])
    );
    assert_eq!(contact(tables, &notice).await.unwrap().mails, 1);
    assert_eq!(
        notices
            .claim(&notice, None, &claims[won[0]], MONTH)
            .await
            .unwrap(),
        Claimed::Yes,
        "a repeated question about the same claim"
    );
    assert_eq!(contact(tables, &notice).await.unwrap().mails, 1);
}

async fn two_notices_for_one_address_are_not_claimed_from_the_same_contact_version(
    tables: &Tables,
) {
    let planned = (1..=2)
        .map(|number| planned(number, "marisol@kestrel.example", "2026-11-23T06:00:00Z"))
        .collect();
    let (notices, written) = (tables.notices(), write_notices(tables, planned).await);
    let claims = [claim("claim-1"), claim("claim-2")];
    let outcomes = join_all(
        (0..2).map(|number| notices.claim(&written[number], None, &claims[number], MONTH)),
    )
    .await;
    let mut outcomes: Vec<Claimed> = outcomes.into_iter().map(Result::unwrap).collect();
    outcomes.sort_by_key(|claimed| *claimed != Claimed::Yes);
    assert_eq!(outcomes, [Claimed::Yes, Claimed::ContactChanged]);
    let known = contact(tables, &written[0]).await.unwrap();
    let left = usize::from(only_claimed(tables).await == written[0].organization_id.as_str());
    assert_eq!(
        notices
            .claim(&written[left], Some(&known), &claim("claim-3"), MONTH)
            .await
            .unwrap(),
        Claimed::Yes
    );
    assert_eq!(contact(tables, &written[0]).await.unwrap().mails, 2);
}

async fn emails_older_than_the_retention_are_dropped_from_the_contact(tables: &Tables) {
    let (notices, first) = (tables.notices(), claimed(tables).await);
    let known = contact(tables, &first).await.unwrap();
    let second = write_notices(
        tables,
        vec![planned(
            2,
            "marisol@kestrel.example",
            "2026-11-23T06:00:00Z",
        )],
    )
    .await
    .remove(0);
    let later = Claim {
        counted_at: at("2026-12-23T12:00:00Z"),
        ..claim("claim-2")
    };
    assert_eq!(
        notices
            .claim(&second, Some(&known), &later, MONTH)
            .await
            .unwrap(),
        Claimed::Yes
    );
    let known = contact(tables, &first).await.unwrap();
    assert_eq!(
        (known.mails, known.recent_mails.len(), known.version),
        (2, 1, 2)
    );
}

async fn a_claimed_notice_is_no_longer_due(tables: &Tables) {
    let (notices, notice) = (tables.notices(), due(tables).await);
    assert!(
        notices
            .hold(&notice, NoticeReason::DryRun, at(NOW))
            .await
            .unwrap()
    );
    let claim = Claim {
        at: at(LATER),
        ..claim("claim-1")
    };
    assert_eq!(
        notices.claim(&notice, None, &claim, MONTH).await.unwrap(),
        Claimed::Yes
    );
    assert_items!(tables.items("notices").await, "claimed");
    assert_items!(tables.items("contacts").await, "contact");
    assert_eq!(
        notices.due(at(LATER), 10, |_| true).await.unwrap().notices,
        []
    );
}

async fn marking_a_notice_sent_twice_changes_nothing(tables: &Tables) {
    let (notices, notice) = (tables.notices(), claimed(tables).await);
    for _ in 0..2 {
        notices
            .sent(&notice, &claim("claim-1"), "message-1", at(LATER))
            .await
            .unwrap();
    }
    assert_items!(tables.items("notices").await, "sent");
    assert_eq!(contact(tables, &notice).await.unwrap().mails, 1);
}

async fn another_claim_cannot_settle_the_notice(tables: &Tables) {
    let (notices, notice) = (tables.notices(), claimed(tables).await);
    let before = tables.items("notices").await;
    assert_claim_lost(
        notices
            .sent(&notice, &claim("claim-2"), "message-1", at(LATER))
            .await,
    );
    assert_claim_lost(
        notices
            .release(
                &notice,
                &claim("claim-2"),
                NoticeReason::Throttled,
                at(LATER),
                at(LATER),
            )
            .await,
    );
    assert_claim_lost(
        notices
            .fail(
                &notice,
                &claim("claim-2"),
                NoticeReason::MessageRejected,
                at(LATER),
            )
            .await,
    );
    assert_claim_lost(
        notices
            .unknown(
                &notice,
                &claim("claim-2"),
                NoticeReason::NoAnswer,
                at(LATER),
            )
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

async fn a_released_notice_is_due_again_later(tables: &Tables) {
    let (notices, notice) = (tables.notices(), claimed(tables).await);
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
    let again = notices
        .due(at(LATER), 10, |_| true)
        .await
        .unwrap()
        .notices
        .remove(0);
    let known = contact(tables, &notice).await.unwrap();
    assert_eq!(
        (known.mails, known.recent_mails.len()),
        (0, 0),
        "what was not sent does not count"
    );
    assert_eq!(
        notices
            .claim(&again, Some(&known), &claim("claim-2"), MONTH)
            .await
            .unwrap(),
        Claimed::Yes
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
            .sent(&notice, &claim("claim-1"), "message-1", at(LATER))
            .await,
    );
}

async fn a_failed_notice_is_not_sent_again(tables: &Tables) {
    let (notices, notice) = (tables.notices(), claimed(tables).await);
    for _ in 0..2 {
        notices
            .fail(
                &notice,
                &claim("claim-1"),
                NoticeReason::MessageRejected,
                at(LATER),
            )
            .await
            .unwrap();
    }
    assert_eq!(
        status(tables).await,
        ("failed".to_owned(), Some("message_rejected".to_owned()))
    );
    let known = contact(tables, &notice).await.unwrap();
    assert_eq!(
        (known.mails, known.recent_mails.len()),
        (0, 0),
        "what was not sent does not count"
    );
    assert_eq!(
        notices
            .claim(&notice, Some(&known), &claim("claim-2"), MONTH)
            .await
            .unwrap(),
        Claimed::NotDue
    );
    assert_claim_lost(
        notices
            .sent(&notice, &claim("claim-2"), "message-1", at(LATER))
            .await,
    );
    assert_claim_lost(
        notices
            .unknown(
                &notice,
                &claim("claim-2"),
                NoticeReason::NoAnswer,
                at(LATER),
            )
            .await,
    );
}

async fn an_unknown_notice_is_marked_sent_by_its_own_late_claim(tables: &Tables) {
    let (notices, notice) = (tables.notices(), claimed(tables).await);
    for _ in 0..2 {
        notices
            .unknown(
                &notice,
                &claim("claim-1"),
                NoticeReason::NoAnswer,
                at(LATER),
            )
            .await
            .unwrap();
    }
    assert_eq!(
        status(tables).await,
        ("unknown".to_owned(), Some("no_answer".to_owned()))
    );
    let known = tables.contacts().get(&notice.address_hash).await.unwrap();
    assert_eq!(
        notices
            .claim(&notice, known.as_ref(), &claim("claim-2x"), MONTH)
            .await
            .unwrap(),
        Claimed::NotDue
    );
    assert_eq!(
        notices.due(at(LATER), 10, |_| true).await.unwrap().notices,
        []
    );
    notices
        .sent(&notice, &claim("claim-1"), "message-1", at(LATER))
        .await
        .unwrap();
    assert_eq!(status(tables).await, ("sent".to_owned(), None));
}

async fn a_due_notice_is_skipped_once(tables: &Tables) {
    let (notices, notice) = (tables.notices(), due(tables).await);
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
    let known = tables.contacts().get(&notice.address_hash).await.unwrap();
    assert_eq!(
        notices
            .claim(&notice, known.as_ref(), &claim("claim-1x"), MONTH)
            .await
            .unwrap(),
        Claimed::NotDue
    );
    assert_items!(tables.items("notices").await, "skipped");
    assert_eq!(
        notices.due(at(LATER), 10, |_| true).await.unwrap().notices,
        []
    );
}

async fn a_held_notice_stays_due_with_its_reason(tables: &Tables) {
    let (notices, notice) = (tables.notices(), due(tables).await);
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

async fn only_claims_older_than_the_limit_are_abandoned(tables: &Tables) {
    let planned = (0..4)
        .map(|number| planned(number, "marisol@kestrel.example", "2026-11-23T06:00:00Z"))
        .collect();
    let (notices, written) = (tables.notices(), write_notices(tables, planned).await);
    for (number, claimed_at) in ["2026-11-23T11:00:00Z", "2026-11-23T11:59:59Z", NOW]
        .iter()
        .enumerate()
    {
        let known = tables
            .contacts()
            .get(&written[0].address_hash)
            .await
            .unwrap();
        let claim = Claim {
            at: at(claimed_at),
            ..claim(&format!("claim-{number}"))
        };
        assert_eq!(
            notices
                .claim(&written[number], known.as_ref(), &claim, MONTH)
                .await
                .unwrap(),
            Claimed::Yes
        );
    }
    assert_eq!(notices.abandon_claims(at(NOW), at(LATER)).await.unwrap(), 2);
    assert_eq!(notices.abandon_claims(at(NOW), at(LATER)).await.unwrap(), 0);
    let statuses: Vec<Value> = tables
        .items("notices")
        .await
        .iter()
        .map(|item| item["status"]["S"].clone())
        .collect();
    assert_eq!(statuses, ["unknown", "unknown", "claimed", "due"]);
    let count = async |from, until| notices.count_unknown(at(from)..=at(until)).await.unwrap();
    assert_eq!(
        count("2026-11-22T14:00:00Z", "2026-11-23T12:59:59Z").await,
        0
    );
    assert_eq!(
        count("2026-11-22T14:00:00Z", "2026-11-23T14:00:00Z").await,
        2
    );
    assert_eq!(
        count("2026-11-23T14:00:00Z", "2026-11-24T14:00:00Z").await,
        0,
        "for longer than anybody is to be told of it"
    );
    let item = tables
        .items("notices")
        .await
        .into_iter()
        .find(|item| item["organization_id"]["S"] == id(0).as_str())
        .unwrap();
    assert_eq!(
        (&item["reason"]["S"], &item["claim_id"]["S"]),
        (&"claim_abandoned".into(), &"claim-0".into())
    );
}

async fn due(tables: &Tables) -> Notice {
    write_notices(
        tables,
        vec![planned(
            1,
            "marisol@kestrel.example",
            "2026-11-23T06:00:00Z",
        )],
    )
    .await
    .remove(0)
}

async fn claimed(tables: &Tables) -> Notice {
    let notice = due(tables).await;
    assert_eq!(
        tables
            .notices()
            .claim(&notice, None, &claim("claim-1"), MONTH)
            .await
            .unwrap(),
        Claimed::Yes
    );
    notice
}

async fn contact(tables: &Tables, notice: &Notice) -> Option<Contact> {
    tables.contacts().get(&notice.address_hash).await.unwrap()
}

async fn only_claimed(tables: &Tables) -> String {
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

async fn only(tables: &Tables) -> Value {
    let mut items = tables.items("notices").await;
    assert_eq!(items.len(), 1);
    items.remove(0)
}

async fn status(tables: &Tables) -> (String, Option<String>) {
    let item = only(tables).await;
    (
        item["status"]["S"].as_str().unwrap().to_owned(),
        item["reason"]["S"].as_str().map(str::to_owned),
    )
}

fn assert_claim_lost(outcome: Result<(), StoreError>) {
    let error = outcome.unwrap_err();
    assert!(error.is_claim_lost() && !error.is_retryable(), "{error}");
}
