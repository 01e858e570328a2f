//! Key rotation while events are published.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::support::TestStack;

#[tokio::test]
async fn no_event_is_lost_during_key_rotation() {
    let stack = TestStack::start().await;
    let first = stack.webhooks.create().await.unwrap().subscription;
    let old_keys = stack.keys();
    stack.add_latency();

    let mut rotation = Box::pin(stack.webhooks.rotate_key(false));
    let mut published = 0;
    let rotated = loop {
        stack.publish_event();
        published += 1;
        if let Ok(rotated) = tokio::time::timeout(Duration::from_millis(2), &mut rotation).await {
            break rotated.unwrap();
        }
    };

    stack.publish_event();
    stack.sandbox.wait_for_deliveries().await;

    assert_eq!(rotated.deleted, [first.id.unwrap()]);
    assert_eq!(
        rotated
            .subscription
            .notification_url
            .as_ref()
            .unwrap()
            .query(),
        Some("v=2")
    );
    assert_eq!(stack.keys().previous, Some(old_keys.current));

    let mut subscriptions_by_event = BTreeMap::<String, BTreeSet<String>>::new();
    for delivery in stack.sandbox.deliveries() {
        subscriptions_by_event
            .entry(delivery.event_id)
            .or_default()
            .insert(delivery.subscription_id);
    }

    assert_eq!(subscriptions_by_event.len(), published + 1);
    assert!(
        subscriptions_by_event.values().any(|ids| ids.len() == 2),
        "no event was published while both subscriptions existed"
    );
    assert_eq!(
        stack.receiver.accepted(),
        subscriptions_by_event.into_keys().collect()
    );
    assert!(stack.webhooks.show(None).await.unwrap().is_enabled());
}

#[tokio::test]
async fn rotate_key_with_revoke_previous_invalidates_the_old_key() {
    let stack = TestStack::start().await;
    stack.webhooks.create().await.unwrap();
    let old_key = stack.keys().current;

    stack.webhooks.rotate_key(true).await.unwrap();

    assert!(!stack.keys().verify(b"{}", &old_key.sign(b"{}")));
    assert_eq!(
        stack.webhooks.test(None).await.unwrap().status_code,
        Some(200)
    );
}

#[tokio::test]
async fn each_rotation_uses_a_new_url_version() {
    let stack = TestStack::start().await;
    stack.webhooks.create().await.unwrap();

    for version in 2..5 {
        let rotated = stack.webhooks.rotate_key(false).await.unwrap();
        assert_eq!(
            rotated.subscription.notification_url.unwrap().query(),
            Some(format!("v={version}").as_str())
        );
    }

    assert_eq!(stack.webhooks.list().await.unwrap().len(), 1);
}
