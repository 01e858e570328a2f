//! Changing the key while events come in.

use std::collections::BTreeSet;

use crate::support::World;

#[tokio::test]
async fn no_event_is_lost_while_the_key_changes() {
    let world = World::start().await;
    let first = world.webhooks.create().await.unwrap().subscription;
    let before = world.keys();
    let rotation = world.webhooks.rotate_key(false);
    let announcements = async {
        for _ in 0..40 {
            world.announce();
            tokio::task::yield_now().await;
        }
    };
    let (rotated, ()) = tokio::join!(rotation, announcements);
    let rotated = rotated.unwrap();
    world.announce();
    world.sandbox.deliveries_ended().await;

    assert_eq!(rotated.ended, [first.id.unwrap()]);
    assert_eq!(rotated.subscription.notification_url.as_ref().unwrap().query(), Some("v=2"));
    assert_eq!(world.keys().previous, Some(before.current));
    let announced: BTreeSet<_> = world.sandbox.deliveries().into_iter().map(|delivery| delivery.event_id).collect();
    assert_eq!(announced.len(), 41);
    assert_eq!(world.receiver.taken(), announced);
    assert!(world.webhooks.show(None).await.unwrap().is_enabled());
}

#[tokio::test]
async fn a_key_that_became_known_is_valid_no_more() {
    let world = World::start().await;
    world.webhooks.create().await.unwrap();
    let known = world.keys().current;
    world.webhooks.rotate_key(true).await.unwrap();
    assert!(!world.keys().verify(b"{}", &known.sign(b"{}")));
    assert_eq!(world.webhooks.test(None).await.unwrap().status_code, Some(200));
}

#[tokio::test]
async fn each_rotation_has_a_url_of_its_own() {
    let world = World::start().await;
    world.webhooks.create().await.unwrap();
    for version in 2..5 {
        let rotated = world.webhooks.rotate_key(false).await.unwrap();
        assert_eq!(rotated.subscription.notification_url.unwrap().query(), Some(format!("v={version}").as_str()));
    }
    assert_eq!(world.webhooks.list().await.unwrap().len(), 1);
}
