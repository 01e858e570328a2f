//! The life of a notice: every change under its condition, also when it is made twice.

use engagement::{Notice, Reason};
use futures::future::join_all;
use serde_json::Value;
use store::StoreError;

use crate::{
    behaviours,
    fixtures::{at, id, planned, write_notices},
    tables::{Tables, assert_items},
};

const NOW: &str = "2026-11-23T12:00:00Z";
const LATER: &str = "2026-11-23T13:00:00Z";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_changes_only_under_its_conditions() {
    behaviours![
        one_of_ten_concurrent_claimers_wins,
        a_claim_takes_the_notice_out_of_the_queue,
        a_sent_notice_counts_one_mail_however_often_it_is_recorded,
        another_claim_can_settle_nothing,
        a_released_notice_is_due_again_later,
        a_failed_notice_is_not_sent_again,
        an_unknown_notice_is_settled_by_a_late_answer_of_its_own_claim,
        a_due_notice_is_skipped_once,
        a_held_notice_stays_due_and_says_why,
        old_claims_are_abandoned_and_young_ones_are_not,
    ];
}

async fn one_of_ten_concurrent_claimers_wins(tables: &Tables) {
    let (notices, notice) = (tables.notices(), due(tables).await);
    let claim_ids: Vec<String> = (0..10).map(|claimer| format!("claim-{claimer}")).collect();
    let claims = join_all(claim_ids.iter().map(|claim_id| notices.claim(&notice, claim_id, at(NOW)))).await;
    let won: Vec<usize> = (0..10).filter(|claimer| *claims[*claimer].as_ref().unwrap()).collect();
    assert_eq!(won.len(), 1);
    assert_eq!(only(tables).await["claim_id"]["S"], format!("claim-{}", won[0]));
    assert!(!notices.claim(&notice, &claim_ids[won[0]], at(NOW)).await.unwrap(), "not even the winner claims it twice");
}

async fn a_claim_takes_the_notice_out_of_the_queue(tables: &Tables) {
    let (notices, notice) = (tables.notices(), due(tables).await);
    assert!(notices.hold(&notice, Reason::DryRun, at(NOW)).await.unwrap());
    assert!(notices.claim(&notice, "claim-1", at(LATER)).await.unwrap());
    assert_items!(tables.items("notices").await, "claimed");
    assert_eq!(notices.due(at(LATER), 10).await.unwrap().notices, []);
}

async fn a_sent_notice_counts_one_mail_however_often_it_is_recorded(tables: &Tables) {
    let (notices, notice) = (tables.notices(), claimed(tables).await);
    assert_eq!(tables.contacts().get(&notice.address_hash).await.unwrap(), None);
    for _ in 0..2 {
        notices.sent(&notice, "claim-1", "message-1", at(LATER)).await.unwrap();
    }
    assert_items!(tables.items("notices").await, "sent");
    assert_items!(tables.items("contacts").await, "contact");
    let contact = tables.contacts().get(&notice.address_hash).await.unwrap().unwrap();
    assert_eq!((contact.mails, contact.last_mail_at), (1, Some(at(LATER))));

    let again = write_notices(tables, vec![planned(2, "MARISOL@kestrel.example", "2026-11-23T06:00:00Z")]).await.remove(0);
    assert!(notices.claim(&again, "claim-2", at(LATER)).await.unwrap());
    notices.sent(&again, "claim-2", "message-2", at(LATER)).await.unwrap();
    assert_eq!(tables.contacts().get(&notice.address_hash).await.unwrap().unwrap().mails, 2);
}

async fn another_claim_can_settle_nothing(tables: &Tables) {
    let (notices, notice) = (tables.notices(), claimed(tables).await);
    let before = tables.items("notices").await;
    assert_lost(notices.sent(&notice, "claim-2", "message-1", at(LATER)).await);
    assert_lost(notices.release(&notice, "claim-2", Reason::Throttled, at(LATER), at(LATER)).await);
    assert_lost(notices.fail(&notice, "claim-2", Reason::MessageRejected, at(LATER)).await);
    assert_lost(notices.unknown(&notice, "claim-2", Reason::NoAnswer, at(LATER)).await);
    assert!(!notices.skip(&notice, Reason::Expired, at(LATER)).await.unwrap());
    assert!(!notices.hold(&notice, Reason::DryRun, at(LATER)).await.unwrap());
    assert_eq!(tables.items("notices").await, before);
    assert_eq!(tables.items("contacts").await.len(), 0);
}

async fn a_released_notice_is_due_again_later(tables: &Tables) {
    let (notices, notice) = (tables.notices(), claimed(tables).await);
    for _ in 0..2 {
        notices.release(&notice, "claim-1", Reason::Throttled, at(LATER), at(NOW)).await.unwrap();
    }
    assert_items!(tables.items("notices").await, "released");
    assert_eq!(notices.due(at(NOW), 10).await.unwrap().notices, []);
    let again = notices.due(at(LATER), 10).await.unwrap().notices.remove(0);
    assert!(notices.claim(&again, "claim-2", at(LATER)).await.unwrap());
    assert_lost(notices.release(&notice, "claim-1", Reason::Throttled, at(LATER), at(LATER)).await);
    assert_lost(notices.sent(&notice, "claim-1", "message-1", at(LATER)).await);
}

async fn a_failed_notice_is_not_sent_again(tables: &Tables) {
    let (notices, notice) = (tables.notices(), claimed(tables).await);
    for _ in 0..2 {
        notices.fail(&notice, "claim-1", Reason::MessageRejected, at(LATER)).await.unwrap();
    }
    assert_eq!(status(tables).await, ("failed".to_owned(), Some("message_rejected".to_owned())));
    assert!(!notices.claim(&notice, "claim-2", at(LATER)).await.unwrap());
    assert_lost(notices.sent(&notice, "claim-1", "message-1", at(LATER)).await);
    assert_lost(notices.unknown(&notice, "claim-1", Reason::NoAnswer, at(LATER)).await);
}

async fn an_unknown_notice_is_settled_by_a_late_answer_of_its_own_claim(tables: &Tables) {
    let (notices, notice) = (tables.notices(), claimed(tables).await);
    for _ in 0..2 {
        notices.unknown(&notice, "claim-1", Reason::NoAnswer, at(LATER)).await.unwrap();
    }
    assert_eq!(status(tables).await, ("unknown".to_owned(), Some("no_answer".to_owned())));
    assert!(!notices.claim(&notice, "claim-2", at(LATER)).await.unwrap());
    assert_eq!(notices.due(at(LATER), 10).await.unwrap().notices, []);
    notices.sent(&notice, "claim-1", "message-1", at(LATER)).await.unwrap();
    assert_eq!(status(tables).await, ("sent".to_owned(), None));
}

async fn a_due_notice_is_skipped_once(tables: &Tables) {
    let (notices, notice) = (tables.notices(), due(tables).await);
    assert!(notices.skip(&notice, Reason::StateChanged, at(NOW)).await.unwrap());
    assert!(!notices.skip(&notice, Reason::Expired, at(LATER)).await.unwrap());
    assert!(!notices.claim(&notice, "claim-1", at(LATER)).await.unwrap());
    assert_items!(tables.items("notices").await, "skipped");
    assert_eq!(notices.due(at(LATER), 10).await.unwrap().notices, []);
}

async fn a_held_notice_stays_due_and_says_why(tables: &Tables) {
    let (notices, notice) = (tables.notices(), due(tables).await);
    for _ in 0..2 {
        assert!(notices.hold(&notice, Reason::DryRun, at(NOW)).await.unwrap());
    }
    let held = notices.due(at(NOW), 10).await.unwrap().notices.remove(0);
    assert_eq!(held, Notice { reason: Some(Reason::DryRun), updated_at: at(NOW), ..notice });
}

async fn old_claims_are_abandoned_and_young_ones_are_not(tables: &Tables) {
    let planned = (0..4).map(|number| planned(number, "marisol@kestrel.example", "2026-11-23T06:00:00Z")).collect();
    let (notices, written) = (tables.notices(), write_notices(tables, planned).await);
    for (number, claimed_at) in ["2026-11-23T11:00:00Z", "2026-11-23T11:59:59Z", NOW].iter().enumerate() {
        assert!(notices.claim(&written[number], "claim-1", at(claimed_at)).await.unwrap());
    }
    assert_eq!(notices.abandon_claims(at(NOW), at(LATER)).await.unwrap(), 2);
    assert_eq!(notices.abandon_claims(at(NOW), at(LATER)).await.unwrap(), 0);
    let statuses: Vec<Value> = tables.items("notices").await.iter().map(|item| item["status"]["S"].clone()).collect();
    assert_eq!(statuses, ["unknown", "unknown", "claimed", "due"]);
    let item = tables.items("notices").await.into_iter().find(|item| item["organization_id"]["S"] == id(0).as_str()).unwrap();
    assert_eq!((&item["reason"]["S"], &item["claim_id"]["S"]), (&"claim_abandoned".into(), &"claim-1".into()));
}

async fn due(tables: &Tables) -> Notice {
    write_notices(tables, vec![planned(1, "marisol@kestrel.example", "2026-11-23T06:00:00Z")]).await.remove(0)
}

async fn claimed(tables: &Tables) -> Notice {
    let notice = due(tables).await;
    assert!(tables.notices().claim(&notice, "claim-1", at(NOW)).await.unwrap());
    notice
}

async fn only(tables: &Tables) -> Value {
    let mut items = tables.items("notices").await;
    assert_eq!(items.len(), 1);
    items.remove(0)
}

async fn status(tables: &Tables) -> (String, Option<String>) {
    let item = only(tables).await;
    (item["status"]["S"].as_str().unwrap().to_owned(), item["reason"]["S"].as_str().map(str::to_owned))
}

fn assert_lost(outcome: Result<(), StoreError>) {
    let error = outcome.unwrap_err();
    assert!(error.is_claim_lost() && !error.is_retryable(), "{error}");
}
