//! Commands that run to their end.

use bill::events::{EventType, SubscriptionId};
use engage::{
    report::{self, SubscriptionView},
    webhooks::EnableResult,
};
use serde_json::json;

use crate::support::TestStack;

#[tokio::test]
async fn create_subscribes_the_stack_and_stores_the_key() {
    let stack = TestStack::start().await;

    let created = stack.webhooks.create().await.unwrap();

    assert!(!created.was_interrupted && created.deleted.is_empty());
    assert_eq!(
        created.subscription.events().collect::<Vec<_>>(),
        EventType::SUBSCRIBED
    );
    assert_eq!(
        created
            .subscription
            .notification_url
            .as_ref()
            .unwrap()
            .path(),
        "/bill/events"
    );
    assert_eq!(
        stack
            .secrets
            .json()
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["current"]
    );

    let test = stack.webhooks.test(None).await.unwrap();
    assert_eq!(test.status_code, Some(200));

    stack.publish_event();
    stack.sandbox.wait_for_deliveries().await;
    assert_eq!(stack.receiver.accepted().len(), 2);
}

#[tokio::test]
async fn second_create_is_refused_and_suggests_rotate_key() {
    let stack = TestStack::start().await;
    stack.webhooks.create().await.unwrap();

    let refusal = stack.webhooks.create().await.unwrap_err().to_string();
    assert!(
        refusal.contains("subscribed already") && refusal.contains("rotate-key"),
        "{refusal}"
    );
    assert_eq!(stack.webhooks.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn key_of_a_deleted_subscription_becomes_the_previous_key() {
    let stack = TestStack::start().await;
    let first = stack.webhooks.create().await.unwrap();
    let key = stack.keys().current;

    let deleted = stack.webhooks.delete(None, false).await.unwrap();
    assert_eq!(Some(deleted), first.subscription.id);
    assert_eq!(stack.keys().current, key);

    stack.webhooks.create().await.unwrap();
    assert_eq!(stack.keys().previous, Some(key.clone()));
    assert_ne!(stack.keys().current, key);
}

#[tokio::test]
async fn foreign_subscription_is_deleted_only_with_force() {
    let stack = TestStack::start().await;
    let own = stack.webhooks.create().await.unwrap().subscription;
    let foreign = stack
        .create_foreign_subscription("https://hooks.northlight-ledger.example/bill?token=hunter2")
        .await;

    let refusal = stack
        .webhooks
        .delete(Some(&foreign), false)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refusal.contains("hooks.northlight-ledger.example/bill;") && refusal.contains("--force"),
        "{refusal}"
    );

    let all = stack.webhooks.list().await.unwrap();
    assert_eq!(all.len(), 2);
    for subscription in &all {
        let view =
            SubscriptionView::new(subscription, stack.webhooks.belongs_to_stack(subscription));
        let printed = format!(
            "{}{}{}",
            report::subscription_details(&view),
            serde_json::to_string(&view).unwrap(),
            report::subscription_list(&[view])
        );
        assert!(
            printed.contains("/bill") && !printed.contains("hunter2"),
            "{printed}"
        );
    }

    assert_eq!(
        stack.webhooks.delete(Some(&foreign), true).await.unwrap(),
        foreign
    );
    assert_eq!(stack.assert_single_working_subscription().await, own);
}

#[tokio::test]
async fn commands_without_a_subscription_suggest_create() {
    let stack = TestStack::start().await;
    let webhooks = &stack.webhooks;
    for error in [
        webhooks.show(None).await.err(),
        webhooks.test(None).await.err(),
        webhooks.delete(None, false).await.err(),
        webhooks.rotate_key(false).await.err(),
        webhooks.enable().await.err(),
    ] {
        let message = error.unwrap().to_string();
        assert!(message.contains("engage webhooks create"), "{message}");
    }

    let unknown: SubscriptionId = "c1f0a5c2".parse().unwrap();
    assert!(
        webhooks
            .show(Some(&unknown))
            .await
            .unwrap_err()
            .to_string()
            .contains("c1f0a5c2")
    );
    assert!(
        webhooks
            .delete(Some(&unknown), false)
            .await
            .unwrap_err()
            .to_string()
            .contains("c1f0a5c2")
    );
}

#[tokio::test]
async fn enable_replaces_a_disabled_subscription() {
    let stack = TestStack::start().await;
    let first = stack.webhooks.create().await.unwrap();
    assert!(matches!(
        stack.webhooks.enable().await.unwrap(),
        EnableResult::AlreadyEnabled(_)
    ));

    // Every delivery is rejected because the current key is replaced, until BILL disables the
    // subscription.
    stack.secrets.put(r#"{"current":"another"}"#);
    stack.publish_event();
    stack.sandbox.wait_for_deliveries().await;
    assert!(!stack.webhooks.show(None).await.unwrap().is_enabled());

    let EnableResult::Replaced(replaced) = stack.webhooks.enable().await.unwrap() else {
        panic!("the subscription was disabled")
    };
    assert_eq!(replaced.deleted, [first.subscription.id.unwrap()]);
    assert!(stack.webhooks.show(None).await.unwrap().is_enabled());

    stack.publish_event();
    stack.sandbox.wait_for_deliveries().await;
    assert_eq!(stack.receiver.accepted().len(), 1);
}

#[tokio::test]
async fn unknown_secret_fields_are_kept_and_invalid_json_is_not_quoted() {
    let stack = TestStack::start().await;
    stack.secrets.put(r#"{"note":{"by":"somebody"}}"#);
    stack.webhooks.create().await.unwrap();
    assert_eq!(stack.secrets.json()["note"], json!({ "by": "somebody" }));

    stack.secrets.put("hunter2");
    let message = format!("{:#}", stack.webhooks.rotate_key(false).await.unwrap_err());
    assert!(
        message.contains("webhook-keys") && !message.contains("hunter2"),
        "{message}"
    );
}
