//! What an hour costs.

use dynoxide::item;
use engagement::check_bucket;
use jiff::SignedDuration;
use store::{Migration, SweepState};

use crate::{
    in_memory_aws::DynamoDbUsage,
    world::{BATCH_SIZE, World},
};

const DUE: usize = 50;

/// The cost of an hour follows from who is due, not from how many there are.
#[tokio::test]
async fn an_hour_costs_the_same_for_a_thousand_and_a_hundred_thousand_customers() {
    let small = cost_of_an_hour(1_000).await;
    let large = cost_of_an_hour(100_000).await;

    for (known, (bill, DynamoDbUsage { requests, items })) in [("1,000", small), ("100,000", large)]
    {
        println!(
            "{DUE} due of {known}: {bill} requests to BILL, {requests} to DynamoDB, {items} items"
        );
    }
    assert_eq!(small, large);
}

/// An hour with [`DUE`] of so many organizations due, without a full listing: the requests to BILL,
/// and those to DynamoDB.
async fn cost_of_an_hour(known: usize) -> (u64, DynamoDbUsage) {
    let world = World::start(known, 10_000).await;
    let listed = world.listed();
    let items = listed.iter().enumerate().map(|(position, id)| {
        let hours = if position < DUE { -1 } else { 1 };
        let next_check_at = world.now + SignedDuration::from_hours(hours);
        item! {
            "organization_id" => id.as_str(),
            "archived" => false,
            "check_bucket" => i64::from(check_bucket(id)),
            "next_check_at" => next_check_at.to_string(),
        }
    });
    world.aws.import_organizations(items.collect());
    let state = SweepState {
        listed_to: Some(world.now),
        listed_fully_at: Some(world.now),
        migration: Migration::Complete,
        ..SweepState::default()
    };
    let states = world.tables.sweep_states();
    states
        .save(&SweepState::default(), &state, world.now)
        .await
        .unwrap();
    world.aws.take_usage();

    let (_, attempts) = world.sweep().await;

    assert_eq!(
        attempts.iter().filter(|attempt| attempt.is_synced).count(),
        DUE
    );
    let mut usage = world.aws.take_usage();
    usage.requests -= 2 * DUE.div_ceil(BATCH_SIZE) as u64; // the test reads rows before and after
    usage.items -= 2 * DUE as u64;
    (world.sandbox.statistics().requests, usage)
}
