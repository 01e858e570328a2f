//! What one check records: stage and episode, the transition, the facts, and the version.

use std::collections::BTreeMap;

use engagement::{
    BankStatus, Name, Organization, Payment, Role, Rules, Snapshot, Stage, StageReason, StepId,
    StepOutcome, StepRecord, Transition, User, Verification,
};
use jiff::Timestamp;
use rstest::rstest;
use rust_decimal::Decimal;
use serde_json::json;

use crate::support::{
    administrator, again, ago, archived_bank, as_of, bank, campaign, days, first, history_at,
    hours, later, organization_id, paid, payment, ready, rules, step,
};

#[test]
fn the_first_check_begins_the_stage_now_and_comes_from_nowhere() {
    let decision = first(&ready(), &Rules::default());
    assert_eq!(decision.organization.stage_since, as_of());
    assert_eq!(decision.organization.checked_at, as_of());
    let transition = Transition {
        organization_id: organization_id(),
        at: as_of(),
        from: None,
        to: Stage::AwaitingFirstPayment,
        reason: StageReason::NeverPaid,
    };
    assert_eq!(decision.transition, Some(transition));
}

#[test]
fn the_same_stage_keeps_its_beginning_and_makes_no_transition() {
    let before = first(&ready(), &Rules::default()).organization;
    let decision = again(&before, &ready(), &Rules::default(), later(days(1)));
    assert_eq!(decision.transition, None);
    assert_eq!(decision.organization.stage_since, as_of());
    assert_eq!(decision.organization.checked_at, later(days(1)));
}

#[test]
fn a_new_stage_begins_now_and_says_where_it_comes_from() {
    let before = first(&ready(), &Rules::default()).organization;
    let decision = again(&before, &paid(days(0)), &Rules::default(), later(hours(5)));
    assert_eq!(decision.organization.stage_since, later(hours(5)));
    let transition = decision.transition.unwrap();
    assert_eq!(
        (transition.from, transition.to),
        (Some(Stage::AwaitingFirstPayment), Stage::Active)
    );
    assert_eq!(
        (transition.at, transition.reason),
        (later(hours(5)), StageReason::PaidRecently)
    );
}

#[test]
fn a_new_reason_within_the_same_stage_is_recorded_without_a_transition() {
    let with = |verification| Snapshot {
        banks: vec![],
        verification: Some(verification),
        ..ready()
    };
    let before = first(&with(Verification::InProgress), &Rules::default()).organization;
    let decision = again(
        &before,
        &with(Verification::Hold),
        &Rules::default(),
        later(days(1)),
    );
    assert_eq!(
        decision.organization.stage_reason,
        StageReason::VerificationOnHold
    );
    assert_eq!(decision.organization.stage_since, as_of());
    assert_eq!(decision.transition, None);
}

#[test]
fn a_stage_that_is_entered_again_begins_a_new_episode() {
    let paying = first(&paid(days(29)), &Rules::default()).organization;
    let dormant = again(&paying, &paid(days(29)), &Rules::default(), later(days(2))).organization;
    assert_eq!(dormant.stage, Stage::Dormant30);
    let paying_again = again(&dormant, &paid(-days(3)), &Rules::default(), later(days(3)));
    assert_eq!(paying_again.organization.stage_since, later(days(3)));
    assert_eq!(
        paying_again.transition.unwrap().from,
        Some(Stage::Dormant30)
    );
}

#[test]
fn a_customer_is_followed_all_the_way_up_and_down_the_ladder() {
    let enrolling = Snapshot {
        banks: vec![],
        ..ready()
    };
    let paid_at = |moment| Snapshot {
        payments: history_at(&[payment(moment)], moment),
        ..ready()
    };
    let story: Vec<(i64, Snapshot)> = vec![
        (0, enrolling.clone()),
        (
            3,
            Snapshot {
                verification: Some(Verification::Approve),
                ..enrolling
            },
        ),
        (
            5,
            Snapshot {
                banks: vec![archived_bank(BankStatus::Pending, -days(4))],
                ..ready()
            },
        ),
        (8, ready()),
        (20, paid_at(later(days(19)))),
        (49, paid_at(later(days(19)))),
        (79, paid_at(later(days(19)))),
        (109, paid_at(later(days(19)))),
        (120, paid_at(later(days(119)))),
        (
            130,
            Snapshot {
                archived: true,
                ..ready()
            },
        ),
    ];
    let mut previous: Option<Organization> = None;
    let mut stages = vec![];
    for (day, signals) in story {
        let decision = engagement::decide(
            &organization_id(),
            previous.as_ref(),
            &signals,
            &Rules::default(),
            later(days(day)),
        );
        let transition = decision.transition.unwrap();
        assert_eq!(transition.from, stages.last().copied());
        stages.push(transition.to);
        previous = Some(decision.organization);
    }
    let expected = [
        Stage::Enrolling,
        Stage::NoBankAccount,
        Stage::BankUnverified,
        Stage::AwaitingFirstPayment,
        Stage::Active,
        Stage::Dormant30,
        Stage::Dormant60,
        Stage::Dormant90,
        Stage::Active,
        Stage::Closed,
    ];
    assert_eq!(stages, expected);
}

#[test]
fn every_check_counts_as_a_version() {
    let mut organization = first(&ready(), &Rules::default()).organization;
    assert_eq!(organization.version, 1);
    for day in 1..5 {
        let stored = organization.version;
        organization =
            again(&organization, &ready(), &Rules::default(), later(days(day))).organization;
        assert_eq!(organization.version, stored + 1);
    }
    organization.version = u64::MAX;
    assert_eq!(
        again(&organization, &ready(), &Rules::default(), later(days(9)))
            .organization
            .version,
        u64::MAX
    );
}

#[test]
fn the_record_holds_the_facts() {
    let decision = first(&bakery(), &Rules::default());
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
        contacts: ["006USER001", "006USER003", "006USER002"]
            .map(|id| id.parse().unwrap())
            .to_vec(),
        steps: BTreeMap::new(),
        version: 1,
    };
    assert_eq!(decision.organization, expected);
}

#[test]
fn only_the_most_promising_users_are_kept_as_contacts() {
    let signals = Snapshot {
        users: (0..9).rev().map(administrator).collect(),
        ..ready()
    };
    let organization = first(&signals, &Rules::default()).organization;
    assert_eq!(organization.users, 9);
    let contacts: Vec<&str> = organization
        .contacts
        .iter()
        .map(engagement::UserId::as_str)
        .collect();
    assert_eq!(
        contacts,
        [
            "006USER000",
            "006USER001",
            "006USER002",
            "006USER003",
            "006USER004"
        ]
    );
}

#[test]
fn a_stored_record_has_the_attributes_of_the_table_and_reads_back() {
    let mut organization = first(
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
        "contacts": ["006USER001", "006USER003", "006USER002"],
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
fn facts_that_are_absent_are_left_out_of_the_record() {
    let organization = first(&Snapshot::default(), &Rules::default()).organization;
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
fn a_record_with_attributes_that_others_added_still_reads() {
    let organization = first(&ready(), &Rules::default()).organization;
    let mut stored = serde_json::to_value(&organization).unwrap();
    stored["schema_version"] = 1.into();
    stored["sync_error"] = "session_expired".into();
    assert_eq!(
        serde_json::from_value::<Organization>(stored).unwrap(),
        organization
    );
}

#[test]
fn a_stored_transition_reads_back() {
    let transition = first(&ready(), &Rules::default()).transition.unwrap();
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
    let left = Transition {
        from: Some(Stage::BankUnverified),
        ..transition
    };
    assert_eq!(
        serde_json::to_value(&left).unwrap()["from"],
        "bank_unverified"
    );
}

#[test]
fn the_record_of_a_decision_shows_no_personal_data() {
    let decision = first(
        &bakery(),
        &rules([campaign(Stage::Active, [step("thanks", days(0))])]),
    );
    assert!(!decision.notices.is_empty());
    let shown = format!("{decision:?} {:?}", bakery()).to_lowercase();
    for secret in ["bakehouse", "marisol", "kestrel.example"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[rstest]
#[case::the_beginning(Timestamp::MIN)]
#[case::the_end(Timestamp::MAX)]
fn a_check_at_an_end_of_time_is_decided(#[case] as_of: Timestamp) {
    let rules = rules([
        campaign(Stage::Active, [step("thanks", days(1))]),
        campaign(Stage::Dormant90, [step("return", days(0))]),
    ]);
    let decision = engagement::decide(&organization_id(), None, &paid(days(1)), &rules, as_of);
    let repeated = again(&decision.organization, &paid(days(1)), &rules, as_of);
    assert!(repeated.notices.is_empty() && repeated.transition.is_none());
}

fn bakery() -> Snapshot {
    let paid = |age, cents| Payment {
        amount: Some(Decimal::new(cents, 2)),
        ..payment(ago(days(age)))
    };
    Snapshot {
        archived: false,
        name: Some(Name::new("Kestrel Bakehouse")),
        created_at: Some(ago(days(500))),
        users: vec![
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
        ],
        banks: vec![
            bank(BankStatus::Verified),
            bank(BankStatus::Blocked),
            archived_bank(BankStatus::Pending, days(3)),
            archived_bank(BankStatus::Verified, days(3)),
        ],
        payments: history_at(&[paid(2, 123_450), paid(45, 100), paid(200, 100)], as_of()),
        verification: None,
    }
}
