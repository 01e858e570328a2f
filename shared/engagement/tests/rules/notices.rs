//! Notices: their planned content, their key, their bucket, and their stored form.

use engagement::{
    DUE_BUCKETS, Name, Notice, NoticeKey, NoticeReason, NoticeStatus, OrganizationId, Snapshot,
    Stage, StageReason, StepId, User, due_bucket,
};
use rstest::rstest;
use serde_json::json;
use strum::IntoEnumIterator;

use crate::support::{
    address_key, administrator, as_of, campaign, days, first_sync, later, next_sync,
    organization_id, ready_to_pay, rules, step, time,
};

/// HMAC-SHA256 of `marisol@kestrel.example` under [`address_key`], computed with another
/// implementation.
const MARISOL: &str = "5c6901cf6939e75d33312b9660c194f7afd8ec899bc47e9f5076660ca3f84bd3";

#[test]
fn planned_notice_has_step_stage_times_and_recipient() {
    let rules = rules([campaign(
        Stage::AwaitingFirstPayment,
        [step("nudge", days(3))],
    )]);
    let before = first_sync(&kestrel(), &rules).organization;
    let decision = next_sync(&before, &kestrel(), &rules, later(days(4)));
    let [notice] = &decision.notices[..] else {
        panic!("{} notices instead of one", decision.notices.len())
    };

    assert_eq!(notice.organization_id, organization_id());
    assert_eq!(
        notice.organization_name,
        Some(Name::new("Kestrel Bakehouse"))
    );
    assert_eq!(
        (notice.campaign.as_str(), notice.step.as_str()),
        ("awaiting_first_payment-campaign", "nudge")
    );
    assert_eq!(
        (notice.stage, notice.stage_reason),
        (Stage::AwaitingFirstPayment, StageReason::NeverPaid)
    );
    assert_eq!((notice.stage_since, notice.since), (as_of(), as_of()));
    assert_eq!(
        (notice.planned_at, notice.due_at),
        (later(days(4)), later(days(4)))
    );
    assert_eq!(notice.priority, 50);
    assert_eq!(notice.recipient.first_name, Some(Name::new("Marisol")));
    assert_eq!(notice.recipient.address.expose(), "Marisol@kestrel.example");
}

#[test]
fn notice_serializes_to_flat_attributes_and_back() {
    let notice = due();
    let stored = serde_json::to_value(&notice).unwrap();
    let expected = json!({
        "organization_id": "00802KESTRELBAKEm7q2",
        "notice": format!("2026-03-31T12:00:00Z#welcome#{MARISOL}"),
        "organization_name": "Kestrel Bakehouse",
        "campaign": "awaiting_first_payment-campaign",
        "step": "welcome",
        "category": "onboarding",
        "priority": 50,
        "stage": "awaiting_first_payment",
        "stage_reason": "never_paid",
        "stage_since": "2026-03-31T12:00:00Z",
        "user_id": "006USER001",
        "first_name": "Marisol",
        "address": "Marisol@kestrel.example",
        "address_hash": MARISOL,
        "planned_at": "2026-03-31T12:00:00Z",
        "due_at": "2026-03-31T12:00:00Z",
        "due_bucket": 3,
        "status": "due",
        "updated_at": "2026-03-31T12:00:00Z",
    });

    assert_eq!(stored, expected);
    assert_eq!(serde_json::from_value::<Notice>(stored).unwrap(), notice);
}

#[test]
fn finished_notice_has_no_due_bucket_and_round_trips() {
    let finished = Notice {
        due_bucket: None,
        status: NoticeStatus::Unknown,
        reason: Some(NoticeReason::NoAnswer),
        claim_id: Some("claim-1".to_owned()),
        claimed_at: Some(later(days(1))),
        message_id: Some("0100".to_owned()),
        ..due()
    };
    let stored = serde_json::to_value(&finished).unwrap();

    assert!(stored.get("due_bucket").is_none());
    assert_eq!(
        (&stored["status"], &stored["reason"]),
        (&json!("unknown"), &json!("no_answer"))
    );
    assert_eq!(
        (&stored["claim_id"], &stored["claimed_at"]),
        (&json!("claim-1"), &json!("2026-04-01T12:00:00Z"))
    );
    assert_eq!(stored["message_id"], "0100");
    assert_eq!(serde_json::from_value::<Notice>(stored).unwrap(), finished);
}

#[test]
fn status_and_reason_names_are_the_same_in_display_and_serde() {
    let names: Vec<String> = NoticeStatus::iter()
        .map(|status| status.to_string())
        .collect();

    assert_eq!(
        names,
        [
            "due",
            "claimed",
            "sent",
            "delivered",
            "bounced",
            "complained",
            "failed",
            "unknown",
            "skipped"
        ]
    );
    for status in NoticeStatus::iter() {
        assert_eq!(serde_json::to_value(status).unwrap(), status.to_string());
    }
    for reason in NoticeReason::iter() {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.to_string());
    }
}

#[test]
fn notice_key_depends_on_occurrence_step_and_recipient() {
    let notice = due();
    let key = NoticeKey::new(
        time("2026-03-31T12:00:00Z"),
        &StepId::new("welcome"),
        &notice.address_hash,
    );

    assert_eq!(key, notice.notice);
    assert_eq!(key.to_string(), key.as_str());
    assert_ne!(
        NoticeKey::new(later(days(1)), &notice.step, &notice.address_hash),
        key
    );
    assert_ne!(
        NoticeKey::new(as_of(), &StepId::new("nudge"), &notice.address_hash),
        key
    );

    let other = address_key().hash(&"other@kestrel.example".parse().unwrap());

    assert_ne!(NoticeKey::new(as_of(), &notice.step, &other), key);
}

#[test]
fn notice_key_contains_the_address_hash() {
    assert_eq!(due().notice.address_hash(), Some(due().address_hash));
}

#[test]
fn notice_key_does_not_contain_the_address() {
    assert!(!due().notice.as_str().to_lowercase().contains("marisol"));
}

#[rstest]
#[case("00802KESTRELBAKEm7q2", 3)]
#[case("00801AAAAAAAAAAAAAAA", 2)]
#[case("00801BBBBBBBBBBBBBBB", 5)]
#[case("00801CCCCCCCCCCCCCCC", 0)]
#[case("00801DDDDDDDDDDDDDDD", 4)]
#[case("0", 7)]
fn due_bucket_is_stable_across_releases(#[case] id: &str, #[case] bucket: u8) {
    assert_eq!(due_bucket(&id.parse().unwrap()), bucket);
}

#[test]
fn organizations_are_spread_evenly_over_the_buckets() {
    let mut sizes = [0_u32; DUE_BUCKETS as usize];
    for number in 0..2000 {
        let id: OrganizationId = format!("00801ORGANIZATION{number:04}").parse().unwrap();
        sizes[usize::from(due_bucket(&id))] += 1;
    }

    assert!(
        sizes.iter().all(|size| (220..=280).contains(size)),
        "{sizes:?}"
    );
}

fn kestrel() -> Snapshot {
    let marisol = User {
        first_name: Some(Name::new("Marisol")),
        email: Some("Marisol@kestrel.example".parse().unwrap()),
        ..administrator(1)
    };
    Snapshot {
        name: Some(Name::new("Kestrel Bakehouse")),
        users: Some(vec![marisol]),
        ..ready_to_pay()
    }
}

fn due() -> Notice {
    let decision = first_sync(
        &kestrel(),
        &rules([campaign(
            Stage::AwaitingFirstPayment,
            [step("welcome", days(0))],
        )]),
    );
    Notice::from_planned(decision.notices[0].clone(), &address_key())
}
