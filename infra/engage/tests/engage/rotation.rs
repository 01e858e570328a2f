//! Changing the key while events come in.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::support::TestStack;

#[tokio::test]
async fn no_event_is_lost_during_key_rotation() {
    let stack = TestStack::start().await;
    let first = stack.webhooks.create().await.unwrap().subscription;
    let before = stack.keys();
    stack.slow_down();
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
    assert_eq!(stack.keys().previous, Some(before.current));
    let mut subscriptions = BTreeMap::<String, BTreeSet<String>>::new();
    for delivery in stack.sandbox.deliveries() {
        subscriptions
            .entry(delivery.event_id)
            .or_default()
            .insert(delivery.subscription_id);
    }
    assert_eq!(subscriptions.len(), published + 1);
    assert!(
        subscriptions.values().any(|received| received.len() == 2),
        "no event came while there were both subscriptions"
    );
    assert_eq!(stack.receiver.taken(), subscriptions.into_keys().collect());
    assert!(stack.webhooks.show(None).await.unwrap().is_enabled());
}

#[tokio::test]
async fn rotate_key_with_revoke_previous_invalidates_the_old_key() {
    let stack = TestStack::start().await;
    stack.webhooks.create().await.unwrap();
    let known = stack.keys().current;
    stack.webhooks.rotate_key(true).await.unwrap();
    assert!(!stack.keys().verify(b"{}", &known.sign(b"{}")));
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
