//! Strategies for the property tests: any combination that the types allow, likely or not.

use engagement::{
    BankAccount, BankStatus, Cadences, Campaign, CampaignId, Campaigns, Category, Name,
    Organization, Payment, PaymentHistory, Role, Rules, Snapshot, Stage, Step, StepId, User,
    Verification, decide,
};
use jiff::{SignedDuration, Timestamp};
use proptest::{collection::vec, option, prelude::*, sample::select};
use rust_decimal::Decimal;
use strum::IntoEnumIterator;

use crate::support::{as_of, days, organization_id};

/// A time near the first sync, mostly in whole seconds; sometimes any time, including the minimum
/// and the maximum.
pub fn moment() -> impl Strategy<Value = Timestamp> {
    let seconds = -130 * 86_400_i64..130 * 86_400;
    prop_oneof![
        8 => seconds.clone().prop_map(|seconds| as_of() + SignedDuration::from_secs(seconds)),
        2 => (seconds, 0..1_000_000_000)
            .prop_map(|(seconds, nanos)| as_of() + SignedDuration::new(seconds, nanos)),
        2 => (-4_i64..4, select(vec![30_i64, 60, 90]))
            .prop_map(|(seconds, age)| as_of() - days(age) + SignedDuration::from_secs(seconds)),
        1 => (Timestamp::MIN.as_second()..=Timestamp::MAX.as_second())
            .prop_map(|second| Timestamp::from_second(second).unwrap()),
        1 => select(vec![Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH]),
    ]
}

pub fn snapshot() -> impl Strategy<Value = Snapshot> {
    let names = option::of(select(vec![
        "",
        "Kestrel \"Bakehouse\"",
        "<script>",
        "\u{1f950}\r\nBcc:",
    ]));
    (
        prop::bool::weighted(0.1),
        names,
        option::of(moment()),
        vec(user(), 0..7),
        vec(bank(), 0..4),
        payments(),
        verification(),
    )
        .prop_map(
            |(archived, name, created_at, users, banks, payments, verification)| Snapshot {
                archived,
                name: name.map(Name::new),
                created_at,
                users: Some(users),
                banks: Some(banks),
                payments: Some(payments),
                verification,
                ..Snapshot::default()
            },
        )
}

/// Any user. There are few ids and fewer addresses, so that both occur more than once.
pub fn user() -> impl Strategy<Value = User> {
    let addresses = [
        "office@kestrel.example",
        "OFFICE@kestrel.example",
        "Office@Kestrel.Example",
        "two@kestrel.example",
        "three@kestrel.example",
    ];
    let address = option::weighted(0.8, select(addresses.to_vec()));
    let role = option::weighted(
        0.9,
        prop_oneof![
            Just(Role::Administrator),
            select(Role::iter().collect::<Vec<_>>())
        ],
    );
    (
        0..4_u8,
        prop::bool::weighted(0.2),
        address,
        role,
        option::of(moment()),
    )
        .prop_map(|(number, archived, address, role, created_at)| User {
            id: format!("006USER{number}").parse().unwrap(),
            archived,
            first_name: None,
            email: address.map(|address| address.parse().unwrap()),
            role,
            created_at,
        })
}

fn bank() -> impl Strategy<Value = BankAccount> {
    (
        any::<bool>(),
        select(BankStatus::iter().collect::<Vec<_>>()),
        option::of(moment()),
    )
        .prop_map(|(archived, status, updated_at)| BankAccount {
            archived,
            status,
            updated_at,
        })
}

fn verification() -> impl Strategy<Value = Option<Verification>> {
    option::of(select(Verification::iter().collect::<Vec<_>>()))
}

pub fn payment() -> impl Strategy<Value = Payment> {
    let amount = option::of(prop_oneof![
        4 => (-100_000_i64..1_000_000).prop_map(|cents| Decimal::new(cents, 2)),
        1 => select(vec![Decimal::MAX, Decimal::MIN]),
    ]);
    (
        option::weighted(0.9, moment()),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.2),
        amount,
    )
        .prop_map(|(created_at, cancelled_or_void, offline, amount)| Payment {
            created_at,
            cancelled_or_void,
            offline,
            amount,
        })
}

fn payments() -> impl Strategy<Value = PaymentHistory> {
    (vec(vec(payment(), 0..4), 0..3), moment()).prop_map(|(pages, as_of)| {
        let mut history = PaymentHistory::default();
        for page in &pages {
            history.add_page(page, as_of);
        }
        history
    })
}

/// Rules with campaigns for any number of stages, with up to four steps each.
pub fn rules() -> impl Strategy<Value = Rules> {
    let steps = vec((0..40 * 24_i64, option::of(24..60 * 24_i64)), 0..5);
    let audience = vec(select(Role::iter().collect::<Vec<_>>()), 0..3);
    let campaign = option::weighted(0.8, (steps, audience, 0..4_usize));
    (vec(campaign, 8), cadences()).prop_map(|(campaigns, cadences)| {
        let stages = Stage::iter().filter(|stage| *stage != Stage::Closed);
        let campaigns = stages.zip(campaigns).filter_map(|(stage, campaign)| {
            let (steps, mut audience, max_recipients) = campaign?;
            audience.push(Role::Administrator);
            Some(Campaign {
                id: CampaignId::new(stage.to_string()),
                stage,
                category: Category::Product,
                audience,
                max_recipients,
                priority: 1,
                steps: ordered_steps(stage, steps),
            })
        });
        Rules {
            campaigns: Campaigns::new(campaigns).unwrap(),
            cadences,
        }
    })
}

fn ordered_steps(stage: Stage, mut steps: Vec<(i64, Option<i64>)>) -> Vec<Step> {
    steps.sort_unstable();
    steps.dedup_by_key(|(after, _)| *after);
    let step = |(number, (after, repeat)): (usize, (i64, Option<i64>))| Step {
        id: StepId::new(format!("{stage}-{number}")),
        after: SignedDuration::from_hours(after),
        repeat_after: repeat.map(SignedDuration::from_hours),
    };
    steps.into_iter().enumerate().map(step).collect()
}

fn cadences() -> impl Strategy<Value = Cadences> {
    let cadence = || {
        prop_oneof![
            6 => (1..31 * 24_i64).prop_map(SignedDuration::from_hours),
            1 => select(vec![SignedDuration::ZERO, SignedDuration::MIN, SignedDuration::MAX]),
        ]
    };
    (cadence(), cadence(), cadence(), cadence()).prop_map(
        |(onboarding, active, dormant, closed)| Cadences {
            onboarding,
            active,
            dormant,
            closed,
        },
    )
}

/// The stored record of an organization: none, or the result of one or two syncs with other
/// snapshots.
pub fn previous_organization(rules: Rules) -> impl Strategy<Value = Option<Organization>> {
    vec((snapshot(), moment()), 0..3).prop_map(move |mut syncs| {
        syncs.sort_by_key(|(_, as_of)| *as_of);
        syncs
            .into_iter()
            .fold(None, |previous: Option<Organization>, (snapshot, as_of)| {
                Some(
                    decide(
                        &organization_id(),
                        previous.as_ref(),
                        &snapshot,
                        &rules,
                        as_of,
                    )
                    .organization,
                )
            })
    })
}
