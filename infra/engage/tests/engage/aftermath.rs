//! Commands that end half-way, and what happens at BILL before they are run again.

use bill::events::Subscription;
use engage::webhooks::{Enabled, Established};
use rstest::rstest;

use crate::support::World;

#[derive(Debug, Clone, Copy)]
enum Command {
    Create,
    RotateKey,
    Enable,
}

impl Command {
    async fn run(self, world: &World) -> anyhow::Result<Established> {
        match self {
            Self::Create => world.webhooks.create().await,
            Self::RotateKey => world.webhooks.rotate_key(false).await,
            Self::Enable => match world.webhooks.enable().await? {
                Enabled::Replaced(established) => Ok(established),
                Enabled::Already(subscription) => {
                    anyhow::bail!("nothing was done about {subscription:?}")
                }
            },
        }
    }
}

/// What becomes of a subscription before the command is run again.
#[derive(Debug, Clone, Copy)]
enum Fate {
    SwitchedOff,
    Ended,
}

impl Fate {
    async fn strike(self, world: &World, subscription: &Subscription) {
        match self {
            Self::SwitchedOff => world.announce_until_bill_gives_up().await,
            Self::Ended => world.end(subscription.id.as_ref().unwrap()).await,
        }
    }
}

/// A stack whose first subscription works, and whose second was made by a rotation that could not
/// store its key.
async fn interrupted_before_the_key_was_stored() -> (World, Subscription, Subscription) {
    let world = World::start().await;
    let first = world.webhooks.create().await.unwrap().subscription;
    world.secrets.break_after(1);
    world.webhooks.rotate_key(false).await.unwrap_err();
    world.secrets.repair();
    let second = world.webhooks.list().await.unwrap().remove(1);
    (world, first, second)
}

/// A stack whose second subscription has taken the first one's place; the first, which delivers as
/// well, could not be ended.
async fn interrupted_before_the_old_was_ended() -> (World, Subscription, Subscription) {
    let world = World::start().await;
    let first = world.webhooks.create().await.unwrap().subscription;
    world.refuse("deleteSubscription");
    world.webhooks.rotate_key(false).await.unwrap_err();
    world.sandbox.clear_faults();
    let second = world.webhooks.list().await.unwrap().remove(1);
    (world, first, second)
}

/// Makes the present key unknown, so that BILL switches off what is signed with it; the one before
/// stays.
fn lose_current_key(world: &World) {
    let mut stored = world.secrets.json();
    stored["current"] = "another".into();
    world.secrets.put(&stored.to_string());
}

#[rstest]
#[case::create_off(Command::Create, Fate::SwitchedOff)]
#[case::create_ended(Command::Create, Fate::Ended)]
#[case::rotate_key_off(Command::RotateKey, Fate::SwitchedOff)]
#[case::rotate_key_ended(Command::RotateKey, Fate::Ended)]
#[case::enable_off(Command::Enable, Fate::SwitchedOff)]
#[case::enable_ended(Command::Enable, Fate::Ended)]
#[tokio::test]
async fn what_bill_made_and_then_lost_takes_nobody_s_place(
    #[case] command: Command,
    #[case] fate: Fate,
) {
    let (world, first, second) = interrupted_before_the_key_was_stored().await;
    fate.strike(&world, &second).await;

    // A third is made, and its key cannot be stored: until then the first has to stay.
    world.secrets.break_after(1);
    command.run(&world).await.unwrap_err();
    world.secrets.repair();
    let all = world.webhooks.list().await.unwrap();
    assert!(
        all.contains(&first) && all.iter().all(|subscription| subscription.id != second.id),
        "{all:?}"
    );
    assert_eq!(
        world
            .webhooks
            .test(first.id.as_ref())
            .await
            .unwrap()
            .status_code,
        Some(200)
    );

    let finished = command.run(&world).await.unwrap();
    assert!(finished.was_interrupted);
    assert_eq!(finished.ended, [first.id.unwrap()]);
    assert_ne!(finished.subscription.id, second.id);
    assert_eq!(world.only_and_working().await, finished.subscription);
}

#[tokio::test]
async fn a_creation_that_bill_switched_off_is_made_anew() {
    let world = World::start().await;
    world.secrets.break_after(1);
    world.webhooks.create().await.unwrap_err();
    world.secrets.repair();
    world.announce_until_bill_gives_up().await;
    let finished = world.webhooks.create().await.unwrap();
    assert!(finished.was_interrupted);
    assert_eq!(world.only_and_working().await, finished.subscription);
}

#[rstest]
#[case::rotate_key_off(Command::RotateKey, Fate::SwitchedOff)]
#[case::rotate_key_ended(Command::RotateKey, Fate::Ended)]
#[case::enable_off(Command::Enable, Fate::SwitchedOff)]
#[case::enable_ended(Command::Enable, Fate::Ended)]
#[tokio::test]
async fn the_old_is_not_ended_for_a_new_one_that_does_not_deliver(
    #[case] command: Command,
    #[case] fate: Fate,
) {
    let (world, first, second) = interrupted_before_the_old_was_ended().await;
    lose_current_key(&world);
    fate.strike(&world, &second).await;

    // Nor is it when the place cannot be taken by a third.
    world.refuse("createSubscription");
    command.run(&world).await.unwrap_err();
    world.sandbox.clear_faults();
    assert!(world.webhooks.list().await.unwrap().contains(&first));

    let finished = command.run(&world).await.unwrap();
    assert!(finished.was_interrupted);
    assert!(finished.ended.contains(first.id.as_ref().unwrap()));
    assert_eq!(world.only_and_working().await, finished.subscription);
}

#[rstest]
#[case::off(Fate::SwitchedOff)]
#[case::ended(Fate::Ended)]
#[tokio::test]
async fn a_creation_beside_a_subscription_that_does_not_deliver_says_what_brings_it_back(
    #[case] fate: Fate,
) {
    let (world, first, second) = interrupted_before_the_old_was_ended().await;
    lose_current_key(&world);
    fate.strike(&world, &second).await;
    let refusal = world.webhooks.create().await.unwrap_err().to_string();
    assert!(
        refusal.contains("subscribed already") && refusal.contains("engage webhooks enable"),
        "{refusal}"
    );
    assert!(world.webhooks.list().await.unwrap().contains(&first));
}

#[rstest]
#[case::create(Command::Create)]
#[case::enable(Command::Enable)]
#[tokio::test]
async fn the_old_is_ended_when_the_new_delivers(#[case] command: Command) {
    let (world, first, second) = interrupted_before_the_old_was_ended().await;
    let finished = command.run(&world).await.unwrap();
    assert!(finished.was_interrupted);
    assert_eq!(finished.ended, [first.id.unwrap()]);
    assert_eq!(world.only_and_working().await, second);
}

#[tokio::test]
async fn when_nothing_is_left_of_what_was_to_be_ended_a_creation_is_one() {
    let (world, first, second) = interrupted_before_the_old_was_ended().await;
    for subscription in [first, second] {
        world.end(subscription.id.as_ref().unwrap()).await;
    }
    let refusal = world.webhooks.enable().await.unwrap_err().to_string();
    assert!(refusal.contains("engage webhooks create"), "{refusal}");
    assert!(!world.webhooks.create().await.unwrap().was_interrupted);
    world.only_and_working().await;
}
