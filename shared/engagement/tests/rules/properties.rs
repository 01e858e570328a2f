//! Properties that hold whatever BILL says, whenever it is asked. Property 5 has a file of its own:
//! `walks.rs`.

use std::collections::{BTreeMap, BTreeSet};

use engagement::{
    Notice, Organization, Rules, Snapshot, Stage, StageReason, StepOutcome, classify, decide,
};
use jiff::Timestamp;
use proptest::{collection::vec, prelude::*};
use rust_decimal::Decimal;

use crate::{
    notices::address_key,
    strategies::{moment, payment, previous_organization, rules, signals},
    support::{history, history_at, organization_id},
};

/// Everything that one decision depends on.
fn decide_input() -> impl Strategy<Value = (Option<Organization>, Snapshot, Rules, Timestamp)> {
    rules().prop_flat_map(|rules| {
        (
            previous_organization(rules.clone()),
            signals(),
            Just(rules),
            moment(),
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    /// Property 1.
    #[test]
    fn any_signals_give_exactly_one_stage_with_one_of_its_reasons((previous, signals, rules, as_of) in decide_input()) {
        let organization = decide(&organization_id(), previous.as_ref(), &signals, &rules, as_of).organization;
        prop_assert_eq!((organization.stage, organization.stage_reason), classify(&signals, as_of));
        prop_assert!(reasons(organization.stage).contains(&organization.stage_reason), "{:?}", organization);
        let stored = serde_json::to_string(&organization).unwrap();
        prop_assert_eq!(serde_json::from_str::<Organization>(&stored).unwrap(), organization);
    }

    /// Property 2.
    #[test]
    fn deciding_twice_gives_the_same_and_deciding_again_gives_nothing_new((previous, signals, rules, as_of) in decide_input()) {
        let once = decide(&organization_id(), previous.as_ref(), &signals, &rules, as_of);
        prop_assert_eq!(&decide(&organization_id(), previous.as_ref(), &signals, &rules, as_of), &once);

        let again = decide(&organization_id(), Some(&once.organization), &signals, &rules, as_of);
        prop_assert!(again.notices.is_empty());
        prop_assert_eq!(&again.transition, &None);
        let unchanged = Organization { version: again.organization.version, ..once.organization };
        prop_assert_eq!(again.organization, unchanged);
    }

    /// Property 2: the order in which BILL lists users, accounts and payments makes no difference
    /// (amounts that saturate aside).
    #[test]
    fn the_order_of_lists_makes_no_difference((previous, signals, rules, as_of) in decide_input(), mut payments in vec(payment(), 0..6)) {
        for payment in &mut payments {
            payment.amount = payment.amount.filter(|amount| amount.abs() <= Decimal::ONE_HUNDRED * Decimal::ONE_HUNDRED);
        }
        let users: BTreeMap<_, _> = signals.users.iter().map(|user| (&user.id, user)).collect();
        let listed = Snapshot {
            users: users.values().copied().cloned().collect(),
            payments: history_at(&payments, as_of),
            ..signals.clone()
        };
        payments.reverse();
        let reversed = Snapshot {
            users: users.values().rev().copied().cloned().collect(),
            banks: signals.banks.iter().rev().cloned().collect(),
            payments: history_at(&payments, as_of),
            ..signals.clone()
        };
        let one = decide(&organization_id(), previous.as_ref(), &listed, &rules, as_of);
        prop_assert_eq!(decide(&organization_id(), previous.as_ref(), &reversed, &rules, as_of), one);
    }

    /// Property 3.
    #[test]
    fn a_newer_payment_never_yields_a_more_dormant_stage(signals in signals(), one in moment(), other in moment(), as_of in moment()) {
        let with = |newest| classify(&Snapshot { payments: history([newest]), ..signals.clone() }, as_of).0;
        prop_assert!(dormancy(with(one.max(other))) <= dormancy(with(one.min(other))));
    }

    /// Property 3, over time: without new facts nobody becomes less dormant.
    #[test]
    fn without_a_payment_dormancy_never_lessens(mut signals in signals(), one in moment(), other in moment()) {
        signals.banks.retain(|bank| !bank.archived);
        let at = |as_of| dormancy(classify(&signals, as_of).0);
        prop_assert!(at(one.min(other)) <= at(one.max(other)));
    }

    /// Property 4.
    #[test]
    fn one_step_of_the_present_stage_at_most_to_distinct_addresses((previous, signals, rules, as_of) in decide_input()) {
        let decision = decide(&organization_id(), previous.as_ref(), &signals, &rules, as_of);
        let organization = &decision.organization;
        let campaign = rules.campaigns.for_stage(organization.stage);

        prop_assert!(organization.stage != Stage::Closed || decision.notices.is_empty());
        let steps: BTreeSet<_> = decision.notices.iter().map(|notice| &notice.step).collect();
        prop_assert!(steps.len() <= 1);
        let addresses: BTreeSet<_> = decision.notices.iter().map(|notice| notice.recipient.address.canonical()).collect();
        prop_assert_eq!(addresses.len(), decision.notices.len());
        prop_assert!(decision.notices.len() <= campaign.map_or(0, |campaign| campaign.max_recipients));
        for notice in &decision.notices {
            prop_assert!(campaign.unwrap().steps.iter().any(|step| step.id == notice.step));
            prop_assert_eq!((notice.stage, notice.stage_reason, notice.stage_since), (organization.stage, organization.stage_reason, organization.stage_since));
            prop_assert_eq!(organization.steps[&notice.step].outcome, StepOutcome::Planned);
            let user = signals.users.iter().find(|user| user.id == notice.recipient.user_id && user.email.as_ref() == Some(&notice.recipient.address));
            prop_assert!(user.is_some());
            prop_assert!(signals.users.iter().any(|user| !user.archived && user.email.as_ref() == Some(&notice.recipient.address)));
        }

        let known = previous.map(|previous| previous.steps).unwrap_or_default();
        let decided = organization.steps.iter().filter(|(id, mark)| known.get(*id) != Some(mark));
        let (done, passed_over): (Vec<_>, Vec<_>) = decided.partition(|(_, mark)| mark.outcome != StepOutcome::PassedOver);
        prop_assert!(done.len() <= 1);
        prop_assert!(passed_over.is_empty() || done.len() == 1);
        for (id, mark) in done.into_iter().chain(passed_over) {
            prop_assert_eq!(mark.at, as_of);
            prop_assert!(campaign.unwrap().steps.iter().any(|step| step.id == *id));
        }
    }

    /// Property 4, over time: no two checks of one organization ever plan the same notice.
    #[test]
    fn a_notice_key_is_never_used_twice(rules in rules(), mut checks in vec((signals(), moment()), 1..12)) {
        checks.sort_by_key(|(_, as_of)| *as_of);
        checks.dedup_by_key(|(_, as_of)| *as_of);
        let mut previous: Option<Organization> = None;
        let mut keys = BTreeSet::new();
        for (signals, as_of) in checks {
            let decision = decide(&organization_id(), previous.as_ref(), &signals, &rules, as_of);
            for notice in decision.notices {
                let key = Notice::due(notice, &address_key()).notice;
                prop_assert!(keys.insert(key.clone()), "{key}");
            }
            previous = Some(decision.organization);
        }
    }

    /// Property 5, its first half. At the very end of time there is no later moment.
    #[test]
    fn the_next_check_is_always_later((previous, signals, rules, as_of) in decide_input()) {
        let organization = decide(&organization_id(), previous.as_ref(), &signals, &rules, as_of).organization;
        prop_assert!(organization.next_check_at > as_of || as_of == Timestamp::MAX, "{} after {}", organization.next_check_at, as_of);
    }
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
