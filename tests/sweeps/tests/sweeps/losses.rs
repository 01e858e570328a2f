//! BILL shows less than before: in an hour of faults, and when a customer really removed it.

use std::collections::{BTreeMap, BTreeSet};

use engagement::{Organization, OrganizationId, Stage};
use sandbox::{OrganizationPatch, Switches};

use crate::world::World;

const CUSTOMERS: usize = 2_000;

/// A limit that no hour of these stories reaches.
const PLENTY_OF_REQUESTS: u32 = 40_000;

#[tokio::test]
async fn an_hour_of_empty_lists_changes_no_stage_and_plans_no_notice() {
    let mut world = World::start(CUSTOMERS, PLENTY_OF_REQUESTS).await;
    answer_with_empty_lists(&world, false);
    world.sweep().await;
    let before = records(&world).await;
    let noticed = world.aws.organizations_with_notices().await;

    // A week later almost all of them are due.
    skip_hours(&mut world, 7 * 24);
    answer_with_empty_lists(&world, true);
    let (_, attempts) = world.sweep().await;

    let during = records(&world).await;
    let suspected: BTreeSet<_> = during
        .iter()
        .filter(|(_, record)| record.loss_seen_at.is_some())
        .map(|(id, _)| id.clone())
        .collect();
    println!(
        "{} customers synced while every list was empty, {} of them showed less than before",
        attempts.len(),
        suspected.len()
    );
    assert!(suspected.len() > CUSTOMERS / 2);
    for id in &suspected {
        let stage = |records: &BTreeMap<_, Organization>| {
            let record = &records[id];
            (record.stage, record.stage_since)
        };
        assert_eq!(stage(&during), stage(&before), "{id}");
    }
    let newly_noticed = &world.aws.organizations_with_notices().await - &noticed;
    assert_eq!(newly_noticed.intersection(&suspected).next(), None);

    // When the lists are back, all is as if nothing had happened.
    answer_with_empty_lists(&world, false);
    skip_hours(&mut world, 4);
    world.sweep().await;
    let after = records(&world).await;
    assert!(after.values().all(|record| record.loss_seen_at.is_none()));
    for expected in world.sandbox.expectations(world.now) {
        let id = expected.organization_id.unwrap().parse().unwrap();
        if suspected.contains(&id) {
            let stage = after[&id].stage.to_string();
            assert_eq!(Some(stage), expected.expected_stage, "{id}");
        }
    }
}

#[tokio::test]
async fn a_customer_that_removed_its_bank_account_is_believed_within_five_hours() {
    let mut world = World::start(60, PLENTY_OF_REQUESTS).await;
    world.sweep().await;
    let is_dormant = |record: &Organization| {
        matches!(
            record.stage,
            Stage::Dormant30 | Stage::Dormant60 | Stage::Dormant90
        )
    };
    let customers = records(&world).await;
    let (id, _) = customers
        .iter()
        .find(|(_, record)| is_dormant(record))
        .unwrap();
    let removed = OrganizationPatch {
        bank_accounts: Some(Vec::new()),
        ..OrganizationPatch::default()
    };
    assert!(world.sandbox.patch_organization(id.as_str(), removed));

    skip_hours(&mut world, 1);
    world.event(id).await;
    let mut hours = 0;
    while records(&world).await[id].stage != Stage::NoBankAccount {
        assert!(hours < 5, "not within five hours");
        skip_hours(&mut world, 1);
        world.sweep().await;
        hours += 1;
    }
    println!("no_bank_account {hours} hours after the event");
}

fn answer_with_empty_lists(world: &World, empty_lists: bool) {
    world.sandbox.set_switches(Switches {
        empty_lists,
        hourly_limit: PLENTY_OF_REQUESTS.into(),
        ..Switches::default()
    });
}

fn skip_hours(world: &mut World, hours: usize) {
    for _ in 0..hours {
        world.next_hour();
    }
}

async fn records(world: &World) -> BTreeMap<OrganizationId, Organization> {
    let mut records = BTreeMap::new();
    for id in world.listed() {
        let record = world.organizations.get(&id).await.unwrap().unwrap();
        records.insert(id, record);
    }
    records
}
