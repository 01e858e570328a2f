//! Property 5, its second half: whoever checks at exactly `next_check_at` sees every threshold and
//! every step at the moment at which someone who checks all the time would.

use engagement::{BankStatus, Organization, Payment, Rules, Snapshot, Stage, decide};
use jiff::{SignedDuration, Timestamp};
use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::{
    strategies::rules,
    support::{
        administrator, as_of, bank, campaign, days, history_at, hours, organization_id, payment,
        ready, repeating, step,
    },
};

/// What a check brings about.
#[derive(Debug, Clone, PartialEq)]
enum Event {
    Entered(Stage),
    Planned {
        step: String,
        since: Timestamp,
        recipients: usize,
    },
}

/// Facts that do not change while time goes by.
#[derive(Debug, Clone)]
struct Facts {
    payments: Vec<Payment>,
    bank: Option<BankStatus>,
    users: u8,
}

impl Facts {
    fn at(&self, as_of: Timestamp) -> Snapshot {
        Snapshot {
            users: (1..=self.users).map(administrator).collect(),
            banks: self.bank.into_iter().map(bank).collect(),
            payments: history_at(&self.payments, as_of),
            ..Snapshot::default()
        }
    }
}

/// Checks at `as_of`, notes what happened, and gives the new record.
fn check(
    previous: Option<&Organization>,
    facts: &Facts,
    rules: &Rules,
    as_of: Timestamp,
    events: &mut Vec<(Timestamp, Event)>,
) -> Organization {
    let decision = decide(&organization_id(), previous, &facts.at(as_of), rules, as_of);
    events.extend(
        decision
            .transition
            .map(|transition| (as_of, Event::Entered(transition.to))),
    );
    let recipients = decision.notices.len();
    events.extend(decision.notices.into_iter().take(1).map(|notice| {
        (
            as_of,
            Event::Planned {
                step: notice.step.to_string(),
                since: notice.since,
                recipients,
            },
        )
    }));
    decision.organization
}

/// Checks every `tick` until `end`.
fn sync_every(
    facts: &Facts,
    rules: &Rules,
    tick: SignedDuration,
    end: Timestamp,
) -> (Vec<(Timestamp, Event)>, Organization) {
    let mut events = vec![];
    let mut organization = check(None, facts, rules, as_of(), &mut events);
    let mut now = as_of() + tick;
    while now <= end {
        organization = check(Some(&organization), facts, rules, now, &mut events);
        now += tick;
    }
    (events, organization)
}

/// Checks at exactly `next_check_at` until `end`.
fn sync_when_due(
    facts: &Facts,
    rules: &Rules,
    end: Timestamp,
) -> (Vec<(Timestamp, Event)>, Organization) {
    let mut events = vec![];
    let mut organization = check(None, facts, rules, as_of(), &mut events);
    while organization.next_check_at <= end {
        let now = organization.next_check_at;
        organization = check(Some(&organization), facts, rules, now, &mut events);
    }
    (events, organization)
}

/// Payments between `oldest` and `newest` ticks before the first check.
fn facts(tick: SignedDuration, oldest: i64, newest: i64) -> impl Strategy<Value = Facts> {
    let payments = vec(
        (newest..oldest)
            .prop_map(move |ticks| payment(as_of() - tick * i32::try_from(ticks).unwrap())),
        0..4,
    );
    let status = option::weighted(
        0.9,
        prop_oneof![4 => Just(BankStatus::Verified), 1 => select(vec![BankStatus::Pending, BankStatus::Blocked])],
    );
    (payments, status, 0..3_u8).prop_map(|(payments, bank, users)| Facts {
        payments,
        bank,
        users,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

    /// Everything lies on a whole hour, so that an hourly walk is exact: a hundred days of it, from
    /// the first check on.
    #[test]
    fn no_threshold_and_no_step_is_missed_in_a_hundred_days(facts in facts(hours(1), 95 * 24, -24), rules in rules()) {
        let rules = at_least_hourly(rules);
        let end = as_of() + days(100);
        let (expected, walked) = sync_every(&facts, &rules, hours(1), end);
        let (events, checked) = sync_when_due(&facts, &rules, end);
        prop_assert_eq!(events, expected);
        prop_assert_eq!((checked.stage, checked.stage_since, checked.steps), (walked.stage, walked.stage_since, walked.steps));
    }

    /// The same by the minute, over the three days in which a payment may reach any of the
    /// thresholds.
    #[test]
    fn no_threshold_is_missed_by_a_minute(
        mut facts in facts(SignedDuration::from_mins(1), 2 * 24 * 60, 0),
        threshold in select(vec![30_i64, 60, 90]),
        after in 0..40_i32,
    ) {
        for payment in &mut facts.payments {
            payment.created_at = payment.created_at.map(|created_at| created_at + days(2) - days(threshold));
        }
        let delay = SignedDuration::from_mins(37) * after;
        let steps = [step("one", delay), repeating("two", delay + SignedDuration::from_mins(1), days(1))];
        let renamed = |stage: Stage| steps.clone().map(|step| engagement::Step { id: engagement::StepId::new(format!("{stage}-{}", step.id)), ..step });
        let rules = crate::support::rules([Stage::Active, Stage::Dormant30, Stage::Dormant60, Stage::Dormant90].map(|stage| campaign(stage, renamed(stage))));
        let end = as_of() + days(3);
        let (expected, _) = sync_every(&facts, &rules, SignedDuration::from_mins(1), end);
        let (events, _) = sync_when_due(&facts, &rules, end);
        prop_assert_eq!(events, expected);
    }
}

/// A customer that pays once and falls silent, with a campaign in each stage: the whole story, and
/// what it costs in checks.
#[test]
fn a_silent_customer_is_seen_at_each_threshold_and_written_to_at_each_step() {
    let facts = Facts {
        payments: vec![payment(as_of())],
        bank: Some(BankStatus::Verified),
        users: 1,
    };
    let rules = crate::support::rules([
        campaign(
            Stage::Active,
            [step("thanks", hours(1)), step("tip", days(10))],
        ),
        campaign(Stage::Dormant30, [step("miss", days(0))]),
        campaign(Stage::Dormant60, [step("help", days(2))]),
        campaign(Stage::Dormant90, [repeating("return", days(0), days(20))]),
    ]);
    let (events, _) = sync_when_due(&facts, &rules, as_of() + days(120));
    let planned = |step: &str, since| Event::Planned {
        step: step.to_owned(),
        since: as_of() + days(since),
        recipients: 1,
    };
    let expected = vec![
        (as_of(), Event::Entered(Stage::Active)),
        (as_of() + hours(1), planned("thanks", 0)),
        (as_of() + days(10), planned("tip", 0)),
        (as_of() + days(30), Event::Entered(Stage::Dormant30)),
        (as_of() + days(30), planned("miss", 30)),
        (as_of() + days(60), Event::Entered(Stage::Dormant60)),
        (as_of() + days(62), planned("help", 60)),
        (as_of() + days(90), Event::Entered(Stage::Dormant90)),
        (as_of() + days(90), planned("return", 90)),
        (as_of() + days(110), planned("return", 110)),
    ];
    assert_eq!(events, expected);
}

/// An account that ceases to be freshly added is no threshold: it is seen by the stage's daily
/// look.
#[test]
fn an_account_that_is_never_verified_is_seen_to_be_gone_within_a_day() {
    let signals = Snapshot {
        banks: vec![crate::support::archived_bank(
            BankStatus::Pending,
            days(29) + hours(13),
        )],
        verification: Some(engagement::Verification::Approve),
        ..ready()
    };
    let before = decide(
        &organization_id(),
        None,
        &signals,
        &Rules::default(),
        as_of(),
    )
    .organization;
    assert_eq!(before.stage, Stage::BankUnverified);
    let after = decide(
        &organization_id(),
        Some(&before),
        &signals,
        &Rules::default(),
        before.next_check_at,
    )
    .organization;
    assert_eq!(
        (after.stage, after.stage_since),
        (Stage::NoBankAccount, as_of() + days(1))
    );
}

/// Cadences of no length would make the sparse walk one by the second.
fn at_least_hourly(rules: Rules) -> Rules {
    let hourly = |cadence: SignedDuration| cadence.clamp(hours(1), days(400));
    let cadences = engagement::Cadences {
        onboarding: hourly(rules.cadences.onboarding),
        active: hourly(rules.cadences.active),
        dormant: hourly(rules.cadences.dormant),
        closed: hourly(rules.cadences.closed),
    };
    Rules { cadences, ..rules }
}
