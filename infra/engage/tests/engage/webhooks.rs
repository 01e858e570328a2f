//! Commands that nothing interrupts.

use bill::events::{EventType, SubscriptionId};
use engage::{
    report::{self, Shown},
    webhooks::Enabled,
};
use serde_json::json;

use crate::support::World;

#[tokio::test]
async fn creating_subscribes_the_stack_and_stores_the_key() {
    let world = World::start().await;
    let created = world.webhooks.create().await.unwrap();
    assert!(!created.was_interrupted && created.ended.is_empty());
    assert_eq!(
        created.subscription.events().collect::<Vec<_>>(),
        EventType::WANTED
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
        world
            .secrets
            .json()
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["current"]
    );
    let test = world.webhooks.test(None).await.unwrap();
    assert_eq!(test.status_code, Some(200));
    world.announce();
    world.sandbox.deliveries_ended().await;
    assert_eq!(world.receiver.taken().len(), 2);
}

#[tokio::test]
async fn a_second_creation_is_refused_and_says_what_to_do() {
    let world = World::start().await;
    world.webhooks.create().await.unwrap();
    let refusal = world.webhooks.create().await.unwrap_err().to_string();
    assert!(
        refusal.contains("subscribed already") && refusal.contains("rotate-key"),
        "{refusal}"
    );
    assert_eq!(world.webhooks.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_ended_subscription_s_key_stays_and_becomes_the_previous_one() {
    let world = World::start().await;
    let first = world.webhooks.create().await.unwrap();
    let key = world.keys().current;
    let ended = world.webhooks.delete(None, false).await.unwrap();
    assert_eq!(Some(ended), first.subscription.id);
    assert_eq!(world.keys().current, key);
    world.webhooks.create().await.unwrap();
    assert_eq!(world.keys().previous, Some(key.clone()));
    assert_ne!(world.keys().current, key);
}

#[tokio::test]
async fn a_subscription_of_another_system_is_ended_only_by_force() {
    let world = World::start().await;
    let own = world.webhooks.create().await.unwrap().subscription;
    let another = world
        .subscribe_another("https://hooks.northlight-ledger.example/bill?token=hunter2")
        .await;
    let refusal = world
        .webhooks
        .delete(Some(&another), false)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refusal.contains("hooks.northlight-ledger.example/bill;") && refusal.contains("--force"),
        "{refusal}"
    );
    let all = world.webhooks.list().await.unwrap();
    assert_eq!(all.len(), 2);
    for subscription in &all {
        let shown = Shown::new(subscription, world.webhooks.is_ours(subscription));
        let printed = format!(
            "{}{}{}",
            report::one(&shown),
            serde_json::to_string(&shown).unwrap(),
            report::many(&[shown])
        );
        assert!(
            printed.contains("/bill") && !printed.contains("hunter2"),
            "{printed}"
        );
    }

    assert_eq!(
        world.webhooks.delete(Some(&another), true).await.unwrap(),
        another
    );
    assert_eq!(world.only_and_working().await, own);
}

#[tokio::test]
async fn without_a_subscription_each_command_says_how_to_make_one() {
    let world = World::start().await;
    let webhooks = &world.webhooks;
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
async fn a_subscription_that_bill_switched_off_is_replaced_by_one_that_delivers() {
    let world = World::start().await;
    let first = world.webhooks.create().await.unwrap();
    assert!(matches!(
        world.webhooks.enable().await.unwrap(),
        Enabled::Already(_)
    ));
    // The key is lost, so nothing verifies until BILL gives up.
    world.secrets.put(r#"{"current":"another"}"#);
    world.announce();
    world.sandbox.deliveries_ended().await;
    assert!(!world.webhooks.show(None).await.unwrap().is_enabled());

    let Enabled::Replaced(replaced) = world.webhooks.enable().await.unwrap() else {
        panic!("it was off")
    };
    assert_eq!(replaced.ended, [first.subscription.id.unwrap()]);
    assert!(world.webhooks.show(None).await.unwrap().is_enabled());
    world.announce();
    world.sandbox.deliveries_ended().await;
    assert_eq!(world.receiver.taken().len(), 1);
}

#[tokio::test]
async fn what_others_keep_in_the_secret_stays_and_a_secret_that_is_no_json_is_not_quoted() {
    let world = World::start().await;
    world.secrets.put(r#"{"note":{"by":"somebody"}}"#);
    world.webhooks.create().await.unwrap();
    assert_eq!(world.secrets.json()["note"], json!({ "by": "somebody" }));
    world.secrets.put("hunter2");
    let message = format!("{:#}", world.webhooks.rotate_key(false).await.unwrap_err());
    assert!(
        message.contains("webhook-keys") && !message.contains("hunter2"),
        "{message}"
    );
}
