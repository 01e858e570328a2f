//! The table and the queue of release 0.1.0, as its functions left them for the customers of this
//! sandbox: all were synced at 06:30, and an hour later `{"all": true}` queued all of them again.

use engagement::OrganizationId;
use jiff::SignedDuration;
use serde_json::Value;

use crate::world::World;

const CUSTOMERS: usize = 60;

/// These have no item: the last release had only queued them.
const ONLY_QUEUED: usize = 5;

/// The messages of the others are lost with the queue.
const DELIVERED: usize = 40;

#[tokio::test]
async fn the_table_and_the_queue_of_the_last_release_are_taken_over() {
    let mut world = World::start(CUSTOMERS, 10_000).await;
    let items = read(include_str!("../release-0.1.0/organizations.json"));
    let messages = read(include_str!("../release-0.1.0/messages.json"));
    let is_only_queued = |item: &Value| {
        let mut first = messages[..ONLY_QUEUED].iter();
        first.any(|message| message["organization"]["id"] == item["organization_id"])
    };
    for item in items.iter().filter(|item| !is_only_queued(item)) {
        world.aws.put_organization(item).await;
    }

    world.next_hour();
    let bodies: Vec<String> = messages.iter().map(Value::to_string).collect();
    for batch in bodies[..DELIVERED].chunks(10) {
        world.process(batch).await;
    }
    for message in &messages[..DELIVERED] {
        let id = message["organization"]["id"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let record = world.organizations.get(&id).await.unwrap().unwrap();
        assert_eq!(record.checked_at, world.now, "{id}");
    }

    world.next_hour();
    let summary = world.fan_out().await;
    assert_eq!((summary.new, summary.changed), (0, 0));
    let far = world.now + SignedDuration::from_hours(365 * 24);
    let indexed = world.organizations.due(far, usize::MAX).await.unwrap();
    assert_eq!(indexed.len(), CUSTOMERS, "every item is in the index");

    // A month later all of them were due.
    for _ in 0..31 * 24 {
        world.next_hour();
    }
    world.aws.take_messages();
    world.sweep().await;
    assert_stages(&world).await;
}

async fn assert_stages(world: &World) {
    for expected in world.sandbox.expectations(world.now) {
        let Some(id) = expected.organization_id else {
            continue;
        };
        let id: OrganizationId = id.parse().unwrap();
        let record = world.organizations.get(&id).await.unwrap().unwrap();
        let stage = record.stage.to_string();
        assert_eq!(Some(stage), expected.expected_stage, "{id}");
    }
}

fn read(fixture: &str) -> Vec<Value> {
    serde_json::from_str(fixture).unwrap()
}
