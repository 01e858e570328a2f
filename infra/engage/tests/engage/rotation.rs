//! Changing the key while events come in.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::support::World;

#[tokio::test]
async fn no_event_is_lost_while_the_key_changes() {
    let world = World::start().await;
    let first = world.webhooks.create().await.unwrap().subscription;
    let before = world.keys();
    world.slow_down();
    let mut rotation = Box::pin(world.webhooks.rotate_key(false));
    let mut announced = 0;
    let rotated = loop {
        world.announce();
        announced += 1;
        if let Ok(rotated) = tokio::time::timeout(Duration::from_millis(2), &mut rotation).await {
            break rotated.unwrap();
        }
    };
    world.announce();
    world.sandbox.deliveries_ended().await;

    assert_eq!(rotated.ended, [first.id.unwrap()]);
    assert_eq!(
        rotated
            .subscription
            .notification_url
            .as_ref()
            .unwrap()
            .query(),
        Some("v=2")
    );
    assert_eq!(world.keys().previous, Some(before.current));
    let mut subscriptions = BTreeMap::<String, BTreeSet<String>>::new();
    for delivery in world.sandbox.deliveries() {
        subscriptions
            .entry(delivery.event_id)
            .or_default()
            .insert(delivery.subscription_id);
    }
    assert_eq!(subscriptions.len(), announced + 1);
    assert!(
        subscriptions.values().any(|told| told.len() == 2),
        "no event came while there were both subscriptions"
    );
    assert_eq!(world.receiver.taken(), subscriptions.into_keys().collect());
    assert!(world.webhooks.show(None).await.unwrap().is_enabled());
}

#[tokio::test]
async fn a_key_that_became_known_is_valid_no_more() {
    let world = World::start().await;
    world.webhooks.create().await.unwrap();
    let known = world.keys().current;
    world.webhooks.rotate_key(true).await.unwrap();
    assert!(!world.keys().verify(b"{}", &known.sign(b"{}")));
    assert_eq!(
        world.webhooks.test(None).await.unwrap().status_code,
        Some(200)
    );
}

#[tokio::test]
async fn each_rotation_has_a_url_of_its_own() {
    let world = World::start().await;
    world.webhooks.create().await.unwrap();
    for version in 2..5 {
        let rotated = world.webhooks.rotate_key(false).await.unwrap();
        assert_eq!(
            rotated.subscription.notification_url.unwrap().query(),
            Some(format!("v={version}").as_str())
        );
    }
    assert_eq!(world.webhooks.list().await.unwrap().len(), 1);
}
