//! An organization that is synced only at `next_check_at` enters every stage and gets every step at
//! the same time as one that is synced continuously.

use engagement::{
    BankStatus, Cadences, Organization, Payment, Rules, Snapshot, Stage, Step, StepId,
    Verification, decide,
};
use jiff::{SignedDuration, Timestamp};
use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::{
    strategies::rules,
    support::{
        administrator, archived_bank, as_of, bank, campaign, days, first_sync, history_at, hours,
        next_sync, organization_id, paid, payment, ready_to_pay, repeating_step, step,
    },
};

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(32)
    })]

    /// All times are whole hours, so that hourly syncs are exact.
    #[test]
    fn syncing_at_next_check_at_matches_hourly_syncs_over_100_days(
        customer in customer(hours(1), 95 * 24, -24),
        rules in rules(),
    ) {
        let rules = at_least_hourly(rules);
        let end = as_of() + days(100);

        let (expected, expected_record) = sync_every(&customer, &rules, hours(1), end);
        let (events, actual_record) = sync_when_due(&customer, &rules, end);

        prop_assert_eq!(events, expected);
        prop_assert_eq!(
            (actual_record.stage, actual_record.stage_since, actual_record.steps),
            (expected_record.stage, expected_record.stage_since, expected_record.steps)
        );
    }

    /// Covers the three days in which the last payment can reach a threshold.
    #[test]
    fn syncing_at_next_check_at_matches_syncs_every_minute_around_thresholds(
        mut customer in customer(SignedDuration::from_mins(1), 2 * 24 * 60, 0),
        threshold in select(vec![30_i64, 60, 90]),
        after in 0..40_i32,
    ) {
        for payment in &mut customer.payments {
            payment.created_at = payment
                .created_at
                .map(|created_at| created_at + days(2) - days(threshold));
        }
        let delay = SignedDuration::from_mins(37) * after;
        let stages = [Stage::Active, Stage::Dormant30, Stage::Dormant60, Stage::Dormant90];
        let rules = crate::support::rules(
            stages.map(|stage| campaign(stage, steps_named_after(stage, delay)))
        );
        let end = as_of() + days(3);

        let (expected, _) = sync_every(&customer, &rules, SignedDuration::from_mins(1), end);
        let (events, _) = sync_when_due(&customer, &rules, end);

        prop_assert_eq!(events, expected);
    }
}

/// A customer pays once and never again. Every stage has a campaign.
#[test]
fn dormant_customer_enters_each_stage_and_gets_each_step_on_time() {
    let customer = CustomerFixture {
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
        campaign(
            Stage::Dormant90,
            [repeating_step("return", days(0), days(20))],
        ),
    ]);

    let (events, _) = sync_when_due(&customer, &rules, as_of() + days(120));

    let planned = |step: &str, since| SyncEvent::Planned {
        step: step.to_owned(),
        since: as_of() + days(since),
        recipients: 1,
    };
    let expected = vec![
        (as_of(), SyncEvent::Entered(Stage::Active)),
        (as_of() + hours(1), planned("thanks", 0)),
        (as_of() + days(10), planned("tip", 0)),
        (as_of() + days(30), SyncEvent::Entered(Stage::Dormant30)),
        (as_of() + days(30), planned("miss", 30)),
        (as_of() + days(60), SyncEvent::Entered(Stage::Dormant60)),
        (as_of() + days(62), planned("help", 60)),
        (as_of() + days(90), SyncEvent::Entered(Stage::Dormant90)),
        (as_of() + days(90), planned("return", 90)),
        (as_of() + days(110), planned("return", 110)),
    ];
    assert_eq!(events, expected);
}

#[test]
fn active_customer_is_synced_five_times_until_dormant() {
    let snapshot = paid(days(1));
    let mut organization = first_sync(&snapshot, &Rules::default()).organization;
    let mut syncs = vec![];
    while organization.stage == Stage::Active {
        organization = next_sync(
            &organization,
            &snapshot,
            &Rules::default(),
            organization.next_check_at,
        )
        .organization;
        syncs.push(organization.checked_at.duration_since(as_of()));
    }

    assert_eq!(syncs, [days(7), days(14), days(21), days(28), days(29)]);
    assert_eq!(organization.stage, Stage::Dormant30);
}

/// The end of the period in which an archived account is treated as connected does not schedule a
/// sync. The daily sync of the stage notices it.
#[test]
fn bank_account_never_verified_is_dropped_within_a_day() {
    let snapshot = Snapshot {
        banks: Some(vec![archived_bank(
            BankStatus::Pending,
            days(29) + hours(13),
        )]),
        verification: Some(Verification::Approve),
        ..ready_to_pay()
    };
    let before = first_sync(&snapshot, &Rules::default()).organization;
    assert_eq!(before.stage, Stage::BankUnverified);

    let next_check_at = before.next_check_at;
    let after = next_sync(&before, &snapshot, &Rules::default(), next_check_at).organization;

    assert_eq!(
        (after.stage, after.stage_since),
        (Stage::NoBankAccount, as_of() + days(1))
    );
}

/// What a sync decides.
#[derive(Debug, Clone, PartialEq)]
enum SyncEvent {
    Entered(Stage),
    Planned {
        step: String,
        since: Timestamp,
        recipients: usize,
    },
}

type SyncEvents = Vec<(Timestamp, SyncEvent)>;

/// A customer whose data does not change over time.
#[derive(Debug, Clone)]
struct CustomerFixture {
    payments: Vec<Payment>,
    bank: Option<BankStatus>,
    users: u8,
}

impl CustomerFixture {
    fn snapshot_at(&self, as_of: Timestamp) -> Snapshot {
        Snapshot {
            users: Some((1..=self.users).map(administrator).collect()),
            banks: Some(self.bank.into_iter().map(bank).collect()),
            payments: Some(history_at(&self.payments, as_of)),
            ..Snapshot::default()
        }
    }
}

/// A customer with payments between `oldest` and `newest` intervals before the first sync.
fn customer(
    interval: SignedDuration,
    oldest: i64,
    newest: i64,
) -> impl Strategy<Value = CustomerFixture> {
    let payments = vec(
        (newest..oldest)
            .prop_map(move |ago| payment(as_of() - interval * i32::try_from(ago).unwrap())),
        0..4,
    );
    let status = option::weighted(
        0.9,
        prop_oneof![
            4 => Just(BankStatus::Verified),
            1 => select(vec![BankStatus::Pending, BankStatus::Blocked]),
        ],
    );
    (payments, status, 0..3_u8).prop_map(|(payments, bank, users)| CustomerFixture {
        payments,
        bank,
        users,
    })
}

/// Two steps. Step names are unique across campaigns, so the stage is part of the name.
fn steps_named_after(stage: Stage, delay: SignedDuration) -> [Step; 2] {
    let minute = SignedDuration::from_mins(1);
    [
        step("one", delay),
        repeating_step("two", delay + minute, days(1)),
    ]
    .map(|step| Step {
        id: StepId::new(format!("{stage}-{}", step.id)),
        ..step
    })
}

/// Without a minimum, zero cadences would cause a sync in each second.
fn at_least_hourly(rules: Rules) -> Rules {
    let hourly = |cadence: SignedDuration| cadence.clamp(hours(1), days(400));
    let cadences = Cadences {
        onboarding: hourly(rules.cadences.onboarding),
        active: hourly(rules.cadences.active),
        dormant: hourly(rules.cadences.dormant),
        closed: hourly(rules.cadences.closed),
    };
    Rules { cadences, ..rules }
}

/// Syncs in a fixed interval until `end`.
fn sync_every(
    customer: &CustomerFixture,
    rules: &Rules,
    interval: SignedDuration,
    end: Timestamp,
) -> (SyncEvents, Organization) {
    let mut events = vec![];
    let mut organization = sync_at(None, customer, rules, as_of(), &mut events);
    let mut now = as_of() + interval;
    while now <= end {
        organization = sync_at(Some(&organization), customer, rules, now, &mut events);
        now += interval;
    }
    (events, organization)
}

/// Syncs at exactly `next_check_at` until `end`.
fn sync_when_due(
    customer: &CustomerFixture,
    rules: &Rules,
    end: Timestamp,
) -> (SyncEvents, Organization) {
    let mut events = vec![];
    let mut organization = sync_at(None, customer, rules, as_of(), &mut events);
    while organization.next_check_at <= end {
        let now = organization.next_check_at;
        organization = sync_at(Some(&organization), customer, rules, now, &mut events);
    }
    (events, organization)
}

/// Syncs at `as_of`, adds what was decided to `events`, and returns the new record.
fn sync_at(
    previous: Option<&Organization>,
    customer: &CustomerFixture,
    rules: &Rules,
    as_of: Timestamp,
    events: &mut SyncEvents,
) -> Organization {
    let snapshot = customer.snapshot_at(as_of);
    let decision = decide(&organization_id(), previous, &snapshot, rules, as_of);

    let entered = decision
        .transition
        .map(|transition| SyncEvent::Entered(transition.to));
    let planned = decision.notices.first().map(|notice| SyncEvent::Planned {
        step: notice.step.to_string(),
        since: notice.since,
        recipients: decision.notices.len(),
    });
    events.extend(
        entered
            .into_iter()
            .chain(planned)
            .map(|event| (as_of, event)),
    );
    decision.organization
}
