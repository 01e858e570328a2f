//! The stored record: its facts, its serialized form, and its masking.

use std::collections::BTreeMap;

use engagement::{
    BankStatus, Name, Organization, Payment, Role, Rules, Snapshot, Stage, StageReason, StepId,
    StepOutcome, StepRecord, Transition, User,
};
use rust_decimal::Decimal;
use serde_json::json;

use crate::support::{
    administrator, ago, archived_bank, as_of, bank, campaign, days, first_sync, history_at, later,
    organization_id, payment, ready_to_pay, rules, step,
};

#[test]
fn record_contains_the_facts_of_the_snapshot() {
    let decision = first_sync(&bakery(), &Rules::default());
    let expected = Organization {
        organization_id: organization_id(),
        name: Some(Name::new("Kestrel Bakehouse")),
        stage: Stage::Active,
        stage_reason: StageReason::PaidRecently,
        stage_since: as_of(),
        checked_at: as_of(),
        next_check_at: later(days(7)),
        created_at: Some(ago(days(500))),
        bank_accounts: 3,
        verified_bank_accounts: 1,
        last_payment_at: Some(ago(days(2))),
        payments_30d: 1,
        payments_90d: 2,
        amount_30d: Decimal::new(123_450, 2),
        users: 3,
        users_read_at: Some(as_of()),
        banks_read_at: Some(as_of()),
        contacts: ["006USER001", "006USER003"]
            .map(|id| id.parse().unwrap())
            .to_vec(),
        steps: BTreeMap::new(),
        archived: false,
        listed_at: None,
        loss_seen_at: None,
        version: 1,
    };

    assert_eq!(decision.organization, expected);
}

#[test]
fn first_two_sign_in_candidates_are_kept_as_contacts() {
    let snapshot = Snapshot {
        users: Some((0..9).rev().map(administrator).collect()),
        ..ready_to_pay()
    };
    let organization = first_sync(&snapshot, &Rules::default()).organization;

    assert_eq!(organization.users, 9);

    let contacts: Vec<&str> = organization
        .contacts
        .iter()
        .map(engagement::UserId::as_str)
        .collect();

    assert_eq!(contacts, ["006USER000", "006USER001"]);
}

#[test]
fn organization_serializes_to_table_attributes_and_back() {
    let mut organization = first_sync(
        &bakery(),
        &rules([campaign(Stage::Active, [step("thanks", days(0))])]),
    )
    .organization;
    organization.steps.insert(
        StepId::new("nudge"),
        StepRecord {
            at: ago(days(9)),
            outcome: StepOutcome::PassedOver,
        },
    );
    organization.steps.insert(
        StepId::new("tip"),
        StepRecord {
            at: ago(days(8)),
            outcome: StepOutcome::NoRecipient,
        },
    );
    let stored = serde_json::to_value(&organization).unwrap();
    let expected = json!({
        "organization_id": "00802KESTRELBAKEm7q2",
        "name": "Kestrel Bakehouse",
        "archived": false,
        "stage": "active",
        "stage_reason": "paid_recently",
        "stage_since": "2026-03-31T12:00:00Z",
        "checked_at": "2026-03-31T12:00:00Z",
        "next_check_at": "2026-04-07T12:00:00Z",
        "created_at": "2024-11-16T12:00:00Z",
        "bank_accounts": 3,
        "verified_bank_accounts": 1,
        "last_payment_at": "2026-03-29T12:00:00Z",
        "payments_30d": 1,
        "payments_90d": 2,
        "amount_30d": "1234.50",
        "users": 3,
        "users_read_at": "2026-03-31T12:00:00Z",
        "banks_read_at": "2026-03-31T12:00:00Z",
        "contacts": ["006USER001", "006USER003"],
        "steps": {
            "nudge": { "at": "2026-03-22T12:00:00Z", "outcome": "passed_over" },
            "thanks": { "at": "2026-03-31T12:00:00Z", "outcome": "planned" },
            "tip": { "at": "2026-03-23T12:00:00Z", "outcome": "no_recipient" },
        },
        "version": 1,
    });

    assert_eq!(stored, expected);
    assert_eq!(
        serde_json::from_value::<Organization>(stored).unwrap(),
        organization
    );
}

#[test]
fn absent_facts_are_omitted_from_the_serialized_record() {
    let organization = first_sync(&Snapshot::default(), &Rules::default()).organization;
    let stored = serde_json::to_value(&organization).unwrap();

    for attribute in ["name", "created_at", "last_payment_at"] {
        assert!(stored.get(attribute).is_none(), "{attribute}");
    }
    assert_eq!(
        serde_json::from_value::<Organization>(stored).unwrap(),
        organization
    );
}

#[test]
fn organization_deserializes_with_unknown_attributes() {
    let organization = first_sync(&ready_to_pay(), &Rules::default()).organization;
    let mut stored = serde_json::to_value(&organization).unwrap();
    stored["schema_version"] = 1.into();
    stored["sync_error"] = "session_expired".into();

    assert_eq!(
        serde_json::from_value::<Organization>(stored).unwrap(),
        organization
    );
}

#[test]
fn transition_serializes_and_deserializes() {
    let transition = first_sync(&ready_to_pay(), &Rules::default())
        .transition
        .unwrap();
    let stored = serde_json::to_value(&transition).unwrap();
    let expected = json!({
        "organization_id": "00802KESTRELBAKEm7q2",
        "at": "2026-03-31T12:00:00Z",
        "to": "awaiting_first_payment",
        "reason": "never_paid",
    });

    assert_eq!(stored, expected);
    assert_eq!(
        serde_json::from_value::<Transition>(stored).unwrap(),
        transition
    );

    let with_previous_stage = Transition {
        from: Some(Stage::BankUnverified),
        ..transition
    };

    assert_eq!(
        serde_json::to_value(&with_previous_stage).unwrap()["from"],
        "bank_unverified"
    );
}

#[test]
fn debug_of_a_decision_masks_personal_data() {
    let decision = first_sync(
        &bakery(),
        &rules([campaign(Stage::Active, [step("thanks", days(0))])]),
    );

    assert!(!decision.notices.is_empty());

    let shown = format!("{decision:?} {:?}", bakery()).to_lowercase();

    for secret in ["bakehouse", "marisol", "kestrel.example"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

fn bakery() -> Snapshot {
    let paid = |age, cents| Payment {
        amount: Some(Decimal::new(cents, 2)),
        ..payment(ago(days(age)))
    };
    Snapshot {
        name: Some(Name::new("Kestrel Bakehouse")),
        created_at: Some(ago(days(500))),
        users: Some(vec![
            User {
                first_name: Some(Name::new("Marisol")),
                ..administrator(1)
            },
            User {
                role: Some(Role::NoAccess),
                ..administrator(2)
            },
            administrator(3),
            User {
                archived: true,
                ..administrator(4)
            },
        ]),
        banks: Some(vec![
            bank(BankStatus::Verified),
            bank(BankStatus::Blocked),
            archived_bank(BankStatus::Pending, days(3)),
            archived_bank(BankStatus::Verified, days(3)),
        ]),
        payments: Some(history_at(
            &[paid(2, 123_450), paid(45, 100), paid(200, 100)],
            as_of(),
        )),
        ..Snapshot::default()
    }
}
