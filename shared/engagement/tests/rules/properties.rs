//! Properties of decisions for any snapshot, record, rules and time. The properties of
//! `next_check_at` over time are in `next_check_properties.rs`.

use std::collections::{BTreeMap, BTreeSet};

use engagement::{
    Decision, Notice, Organization, Rules, Snapshot, Stage, StageReason, StepOutcome, classify,
    decide,
};
use jiff::Timestamp;
use proptest::{collection::vec, prelude::*};
use rust_decimal::Decimal;

use crate::{
    strategies::{moment, payment, previous_organization, rules, snapshot},
    support::{address_key, history, history_at, organization_id},
};

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(256)
    })]

    #[test]
    fn any_snapshot_gives_exactly_one_stage_with_one_of_its_reasons(input in decide_input()) {
        let decision = input.decide();
        let organization = decision.organization;

        let unchanged = input.previous.filter(|_| organization.loss_seen_at.is_some());
        if let Some(unchanged) = unchanged {
            // A loss seen once plans nothing and changes no stage.
            prop_assert_eq!(
                (organization.stage, organization.stage_reason, organization.stage_since),
                (unchanged.stage, unchanged.stage_reason, unchanged.stage_since)
            );
            prop_assert_eq!((decision.transition, decision.notices), (None, vec![]));
        } else {
            prop_assert_eq!(
                (organization.stage, organization.stage_reason),
                classify(&input.snapshot, input.as_of)
            );
        }
        prop_assert!(
            reasons(organization.stage).contains(&organization.stage_reason),
            "{:?}",
            organization
        );
        let stored = serde_json::to_string(&organization).unwrap();
        prop_assert_eq!(serde_json::from_str::<Organization>(&stored).unwrap(), organization);
    }

    #[test]
    fn decide_is_deterministic_and_idempotent(mut input in decide_input()) {
        let once = input.decide();
        prop_assert_eq!(&input.decide(), &once);

        input.previous = Some(once.organization.clone());
        let again = input.decide();
        prop_assert!(again.notices.is_empty());
        prop_assert_eq!(&again.transition, &None);
        let unchanged = Organization {
            version: again.organization.version,
            ..once.organization
        };
        prop_assert_eq!(again.organization, unchanged);
    }

    /// The order in which BILL lists users, bank accounts and payments makes no difference. Amounts
    /// are small enough not to saturate.
    #[test]
    fn decision_is_independent_of_list_order(
        mut input in decide_input(),
        mut payments in vec(payment(), 0..6),
    ) {
        let limit = Decimal::ONE_HUNDRED * Decimal::ONE_HUNDRED;
        for payment in &mut payments {
            payment.amount = payment.amount.filter(|amount| amount.abs() <= limit);
        }
        let users: BTreeMap<_, _> = input
            .snapshot
            .users
            .iter()
            .flatten()
            .map(|user| (user.id.clone(), user.clone()))
            .collect();

        input.snapshot.users = Some(users.values().cloned().collect());
        input.snapshot.payments = Some(history_at(&payments, input.as_of));
        let listed = input.decide();

        payments.reverse();
        input.snapshot.users.as_mut().unwrap().reverse();
        input.snapshot.banks.as_mut().unwrap().reverse();
        input.snapshot.payments = Some(history_at(&payments, input.as_of));
        prop_assert_eq!(input.decide(), listed);
    }

    #[test]
    fn a_newer_payment_never_yields_a_more_dormant_stage(
        snapshot in snapshot(),
        one in moment(),
        other in moment(),
        as_of in moment(),
    ) {
        let dormancy_if_paid_at = |time| {
            let payments = Some(history([time]));
            dormancy(classify(&Snapshot { payments, ..snapshot.clone() }, as_of).0)
        };
        prop_assert!(dormancy_if_paid_at(one.max(other)) <= dormancy_if_paid_at(one.min(other)));
    }

    #[test]
    fn dormancy_never_decreases_without_a_new_payment(
        mut snapshot in snapshot(),
        one in moment(),
        other in moment(),
    ) {
        snapshot.banks.as_mut().unwrap().retain(|bank| !bank.archived);
        let dormancy_at = |as_of| dormancy(classify(&snapshot, as_of).0);
        prop_assert!(dormancy_at(one.min(other)) <= dormancy_at(one.max(other)));
    }

    #[test]
    fn at_most_one_step_of_the_current_stage_is_planned_to_distinct_addresses(
        input in decide_input()
    ) {
        let Decision { organization, notices, .. } = input.decide();
        let campaign = input.rules.campaigns.for_stage(organization.stage);

        prop_assert!(organization.stage != Stage::Closed || notices.is_empty());
        let steps: BTreeSet<_> = notices.iter().map(|notice| &notice.step).collect();
        prop_assert!(steps.len() <= 1);
        let addresses: BTreeSet<_> = notices
            .iter()
            .map(|notice| notice.recipient.address.canonical())
            .collect();
        prop_assert_eq!(addresses.len(), notices.len());
        prop_assert!(notices.len() <= campaign.map_or(0, |campaign| campaign.max_recipients));

        for notice in &notices {
            prop_assert!(campaign.unwrap().steps.iter().any(|step| step.id == notice.step));
            prop_assert_eq!(
                (notice.stage, notice.stage_reason, notice.stage_since),
                (organization.stage, organization.stage_reason, organization.stage_since)
            );
            prop_assert_eq!(organization.steps[&notice.step].outcome, StepOutcome::Planned);
            let with_address = || {
                let address = Some(&notice.recipient.address);
                let users = input.snapshot.users.iter().flatten();
                users.filter(move |user| user.email.as_ref() == address)
            };
            prop_assert!(with_address().any(|user| user.id == notice.recipient.user_id));
            prop_assert!(with_address().any(|user| !user.archived));
        }
    }

    #[test]
    fn at_most_one_step_is_decided_and_the_others_are_passed_over(input in decide_input()) {
        let organization = input.decide().organization;

        let known = input.previous.map(|previous| previous.steps).unwrap_or_default();
        let decided = organization
            .steps
            .iter()
            .filter(|(id, record)| known.get(*id) != Some(record));
        let (done, passed_over): (Vec<_>, Vec<_>) =
            decided.partition(|(_, record)| record.outcome != StepOutcome::PassedOver);
        prop_assert!(done.len() <= 1);
        prop_assert!(passed_over.is_empty() || done.len() == 1);
        let campaign = input.rules.campaigns.for_stage(organization.stage);
        for (id, record) in done.into_iter().chain(passed_over) {
            prop_assert_eq!(record.at, input.as_of);
            prop_assert!(campaign.unwrap().steps.iter().any(|step| step.id == *id));
        }
    }

    #[test]
    fn a_notice_key_is_never_used_twice(
        rules in rules(),
        mut syncs in vec((snapshot(), moment()), 1..12),
    ) {
        syncs.sort_by_key(|(_, as_of)| *as_of);
        syncs.dedup_by_key(|(_, as_of)| *as_of);

        let mut previous: Option<Organization> = None;
        let mut keys = BTreeSet::new();
        for (snapshot, as_of) in syncs {
            let decision = decide(&organization_id(), previous.as_ref(), &snapshot, &rules, as_of);
            for notice in decision.notices {
                let key = Notice::from_planned(notice, &address_key()).notice;
                prop_assert!(keys.insert(key.clone()), "{key}");
            }
            previous = Some(decision.organization);
        }
    }

    /// At [`Timestamp::MAX`] there is no later time.
    #[test]
    fn next_check_at_is_always_after_as_of(input in decide_input()) {
        let next_check_at = input.decide().organization.next_check_at;
        prop_assert!(
            next_check_at > input.as_of || input.as_of == Timestamp::MAX,
            "{} after {}",
            next_check_at,
            input.as_of
        );
    }
}

/// Everything that a decision depends on.
#[derive(Debug, Clone)]
struct DecideInput {
    previous: Option<Organization>,
    snapshot: Snapshot,
    rules: Rules,
    as_of: Timestamp,
}

impl DecideInput {
    fn decide(&self) -> Decision {
        decide(
            &organization_id(),
            self.previous.as_ref(),
            &self.snapshot,
            &self.rules,
            self.as_of,
        )
    }
}

fn decide_input() -> impl Strategy<Value = DecideInput> {
    rules().prop_flat_map(|rules| {
        (previous_organization(rules.clone()), snapshot(), moment()).prop_map(
            move |(previous, snapshot, as_of)| DecideInput {
                previous,
                snapshot,
                rules: rules.clone(),
                as_of,
            },
        )
    })
}

fn reasons(stage: Stage) -> &'static [StageReason] {
    match stage {
        Stage::Closed => &[StageReason::Archived, StageReason::Declined],
        Stage::Enrolling => &[
            StageReason::NoUsers,
            StageReason::VerificationNotStarted,
            StageReason::VerificationInProgress,
            StageReason::VerificationOnHold,
        ],
        Stage::NoBankAccount => &[StageReason::NoneConnected],
        Stage::BankUnverified => &[StageReason::Rejected, StageReason::Pending],
        Stage::AwaitingFirstPayment => &[StageReason::NeverPaid],
        Stage::Active => &[StageReason::PaidRecently],
        Stage::Dormant30 | Stage::Dormant60 | Stage::Dormant90 => &[StageReason::LastPayment],
    }
}

fn dormancy(stage: Stage) -> u8 {
    match stage {
        Stage::Dormant30 => 30,
        Stage::Dormant60 => 60,
        Stage::Dormant90 => 90,
        _ => 0,
    }
}
