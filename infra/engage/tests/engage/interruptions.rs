//! Commands that end half-way, and are run again.

use jiff::SignedDuration;

use crate::support::World;

#[tokio::test]
async fn a_creation_whose_key_could_not_be_stored_is_finished_by_the_next() {
    let world = World::start().await;
    world.secrets.break_after(1);
    world.webhooks.create().await.unwrap_err();
    let made = world.webhooks.list().await.unwrap();
    assert_eq!(made.len(), 1, "BILL has made it");
    assert!(world.secrets.keys().is_none());

    world.secrets.repair();
    let finished = world.webhooks.create().await.unwrap();
    assert!(finished.was_interrupted);
    assert_eq!(
        world.webhooks.list().await.unwrap(),
        made,
        "it is the same one"
    );
    assert_eq!(
        world.webhooks.test(None).await.unwrap().status_code,
        Some(200),
        "its key is the one that is stored"
    );
}

#[tokio::test]
async fn after_more_than_a_day_its_key_is_lost_and_another_is_made() {
    let world = World::start().await;
    world.secrets.break_after(1);
    world.webhooks.create().await.unwrap_err();
    let lost = world.webhooks.list().await.unwrap().remove(0).id;
    world.secrets.repair();
    world.sandbox.advance(SignedDuration::from_hours(25));
    let finished = world.webhooks.create().await.unwrap();
    assert_ne!(finished.subscription.id, lost);
    assert_eq!(
        world.webhooks.list().await.unwrap(),
        [finished.subscription]
    );
    assert_eq!(
        world.webhooks.test(None).await.unwrap().status_code,
        Some(200)
    );
}

#[tokio::test]
async fn without_the_right_to_write_the_secret_bill_is_not_asked() {
    let world = World::start().await;
    world.secrets.break_after(0);
    let message = world.webhooks.create().await.unwrap_err().to_string();
    assert!(
        message.contains("cannot write the secret webhook-keys"),
        "{message}"
    );
    assert!(world.webhooks.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_creation_that_bill_refuses_leaves_nothing_behind() {
    let world = World::start().await;
    world.refuse("createSubscription");
    world.webhooks.create().await.unwrap_err();
    assert!(world.secrets.json().get("pending").is_none());
    world.sandbox.clear_faults();
    assert!(!world.webhooks.create().await.unwrap().was_interrupted);
}

#[tokio::test]
async fn an_ending_that_bill_refuses_is_done_by_the_next() {
    let world = World::start().await;
    world.secrets.break_after(1);
    world.webhooks.create().await.unwrap_err();
    world.secrets.repair();
    world.refuse("deleteSubscription");
    world.webhooks.delete(None, false).await.unwrap_err();
    assert_eq!(world.webhooks.list().await.unwrap().len(), 1);
    assert!(world.secrets.json().get("pending").is_none());

    world.sandbox.clear_faults();
    world.webhooks.delete(None, false).await.unwrap();
    assert!(world.webhooks.list().await.unwrap().is_empty());
    assert!(!world.webhooks.create().await.unwrap().was_interrupted);
    world.only_and_working().await;
}

#[tokio::test]
async fn nothing_is_ended_before_it_is_forgotten() {
    let world = World::start().await;
    world.secrets.break_after(1);
    world.webhooks.create().await.unwrap_err();
    world.secrets.break_after(0);
    let message = world
        .webhooks
        .delete(None, false)
        .await
        .unwrap_err()
        .to_string();
    assert!(message.contains("cannot write the secret"), "{message}");
    assert_eq!(
        world.webhooks.list().await.unwrap().len(),
        1,
        "it is there for the next attempt"
    );

    world.secrets.repair();
    world.webhooks.delete(None, false).await.unwrap();
    assert!(world.webhooks.list().await.unwrap().is_empty());
    assert!(world.secrets.json().get("pending").is_none());
}

#[tokio::test]
async fn a_creation_that_was_interrupted_and_ended_is_not_taken_for_finished() {
    let world = World::start().await;
    world.secrets.break_after(1);
    world.webhooks.create().await.unwrap_err();
    world.secrets.repair();
    world.webhooks.delete(None, false).await.unwrap();
    let created = world.webhooks.create().await.unwrap();
    assert!(!created.was_interrupted);
    assert_eq!(world.webhooks.list().await.unwrap(), [created.subscription]);
}

#[tokio::test]
async fn a_rotation_that_could_not_end_the_old_subscription_is_followed_by_a_true_one() {
    let world = World::start().await;
    let first = world.webhooks.create().await.unwrap().subscription;
    world.refuse("deleteSubscription");
    world.webhooks.rotate_key(false).await.unwrap_err();
    let keys = world.keys();
    let second = world.webhooks.list().await.unwrap().remove(1);

    world.sandbox.clear_faults();
    let finished = world.webhooks.rotate_key(true).await.unwrap();
    assert!(finished.was_interrupted);
    assert_eq!(finished.ended, [first.id.unwrap(), second.id.unwrap()]);
    assert_eq!(world.only_and_working().await, finished.subscription);
    for former in [Some(keys.current), keys.previous] {
        assert!(
            !world.keys().verify(b"{}", &former.unwrap().sign(b"{}")),
            "the key is another"
        );
    }
}

#[tokio::test]
async fn a_creation_without_a_place_says_so() {
    let world = World::start().await;
    for number in 0..10 {
        world
            .subscribe_another(&format!("https://hooks.northlight-ledger.example/{number}"))
            .await;
    }
    let message = format!("{:#}", world.webhooks.create().await.unwrap_err());
    assert!(
        message.contains("allows 10 subscriptions")
            && message.contains("engage webhooks delete ID"),
        "{message}"
    );
    assert!(message.contains("createSubscription"), "{message}");
    assert!(world.secrets.json().get("pending").is_none());
}
