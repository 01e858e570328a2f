//! How long organizations wait when the budget covers a tenth of what is due, BILL closes an hour
//! now and then, a part of BILL is broken, and events would use up everything.

use std::collections::BTreeMap;

use engagement::OrganizationId;
use jiff::Timestamp;
use sandbox::{Fault, FaultKind, Switches};

use crate::world::World;

/// BILL's requests per hour: three syncs of events, and two of the sweep.
const REQUESTS_PER_HOUR: u32 = 18;

/// Events of each hour, more than their share of the budget.
const EVENTS_PER_HOUR: usize = 4;

/// Every so many hours BILL answers `BDC_1144` after a few requests.
const HOURS_UNTIL_CLOSED: usize = 40;

/// One of so many organizations fails every time.
const BROKEN: usize = 20;

#[tokio::test]
async fn nobody_waits_longer_than_the_budget_forces_in_ten_days() {
    simulate(10, 120).await;
}

/// `cargo nextest run --workspace --test sweeps --cargo-profile simulation --run-ignored only`
#[tokio::test]
#[ignore = "builds everything once more, optimized, and takes five minutes"]
async fn nobody_waits_longer_than_the_budget_forces_in_a_year() {
    simulate(365, 500).await;
}

async fn simulate(days: usize, organizations: usize) {
    let mut world = World::start(organizations, REQUESTS_PER_HOUR).await;
    let listed = world.listed();
    let broken = |position: usize| position % BROKEN == BROKEN / 2;
    for (position, id) in listed.iter().enumerate() {
        if broken(position) {
            fail_every_request(&world, id);
        }
    }
    let is_broken: BTreeMap<_, _> = (0..)
        .map(broken)
        .zip(&listed)
        .map(|(b, id)| (id, b))
        .collect();

    let (mut healthy, mut failing) = (Vec::new(), Vec::new());
    let mut hours_of_attempts = vec![0; organizations]; // before the first hour
    let mut due = 0;
    let hours = days * 24;
    for hour in 0..hours {
        let is_closed = hour % HOURS_UNTIL_CLOSED == HOURS_UNTIL_CLOSED / 2;
        world.sandbox.set_switches(Switches {
            hourly_limit: if is_closed { 5 } else { 20_000 },
            ..Switches::default()
        });
        for event in 0..EVENTS_PER_HOUR {
            let position = (hour * EVENTS_PER_HOUR + event) * 7 % listed.len();
            world.event(&listed[position]).await;
        }

        let (_, attempts) = world.sweep().await;
        hours_of_attempts.extend(vec![hour; attempts.len()]);
        for attempt in attempts {
            let waited = hours_between(attempt.due_since, world.now);
            if is_broken[&attempt.id] {
                failing.push(waited);
            } else if attempt.is_synced {
                healthy.push(waited);
            }
        }
        if hour % 24 == 0 {
            let all = world.organizations.due(world.now, usize::MAX).await;
            due += all.unwrap().len();
        }
        world.next_hour();
    }

    let waiting = world
        .organizations
        .due(world.now, usize::MAX)
        .await
        .unwrap();
    let waiting = waiting.iter().filter(|waiting| !is_broken[&waiting.id]);
    let synced = healthy.len();
    healthy.extend(waiting.map(|waiting| hours_between(waiting.next_check_at, world.now)));
    let forced = longest_round(&hours_of_attempts, organizations, hours);
    println!(
        "{days} days, {organizations} organizations: each hour {} are due; each day {} are synced",
        due / days,
        synced / days,
    );
    println!("  to try every organization once took at most {forced} hours");
    let [(_, longest), _] = [("healthy", healthy), ("broken", failing)].map(|(name, mut waits)| {
        waits.sort_unstable();
        let (median, longest) = (waits[waits.len() / 2], waits[waits.len() - 1]);
        println!(
            "  {name}: {} waits, median {median} hours, longest {longest}",
            waits.len()
        );
        (median, longest)
    });
    assert!(longest <= forced, "{longest} hours instead of {forced}");
}

/// The hours that the budget takes for as many attempts as there are organizations, at most. Nobody
/// has to wait longer if each attempt is of the one that has been due for the longest time.
fn longest_round(hours_of_attempts: &[usize], organizations: usize, hours: usize) -> usize {
    let ends = hours_of_attempts[organizations..].iter().chain([&hours]);
    let rounds = hours_of_attempts.iter().zip(ends);
    rounds.map(|(start, end)| end - start).max().unwrap() + 1
}

/// A failure of this organization that BILL's client does not wait for, so that a year is short.
fn fail_every_request(world: &World, id: &OrganizationId) {
    world.sandbox.add_fault(Fault {
        endpoint: None,
        organization_id: Some(id.to_string()),
        kind: FaultKind::Status {
            status: 401,
            code: Some("BDC_1109".to_owned()),
            retry_after: None,
        },
        times: None,
    });
}

fn hours_between(start: Timestamp, end: Timestamp) -> usize {
    usize::try_from(end.duration_since(start).as_hours()).unwrap()
}
