//! Commands that end half-way, and are run again.

use jiff::SignedDuration;

use crate::support::TestStack;

#[tokio::test]
async fn create_resumes_when_the_key_could_not_be_stored() {
    let stack = TestStack::start().await;
    stack.secrets.fail_writes_after(1);
    stack.webhooks.create().await.unwrap_err();
    let made = stack.webhooks.list().await.unwrap();
    assert_eq!(made.len(), 1, "BILL has made it");
    assert!(stack.secrets.keys().is_none());

    stack.secrets.allow_writes();
    let finished = stack.webhooks.create().await.unwrap();
    assert!(finished.was_interrupted);
    assert_eq!(
        stack.webhooks.list().await.unwrap(),
        made,
        "it is the same one"
    );
    assert_eq!(
        stack.webhooks.test(None).await.unwrap().status_code,
        Some(200),
        "its key is the one that is stored"
    );
}

#[tokio::test]
async fn create_replaces_a_pending_subscription_whose_key_has_expired() {
    let stack = TestStack::start().await;
    stack.secrets.fail_writes_after(1);
    stack.webhooks.create().await.unwrap_err();
    let lost = stack.webhooks.list().await.unwrap().remove(0).id;
    stack.secrets.allow_writes();
    stack.sandbox.advance(SignedDuration::from_hours(25));
    let finished = stack.webhooks.create().await.unwrap();
    assert_ne!(finished.subscription.id, lost);
    assert_eq!(
        stack.webhooks.list().await.unwrap(),
        [finished.subscription]
    );
    assert_eq!(
        stack.webhooks.test(None).await.unwrap().status_code,
        Some(200)
    );
}

#[tokio::test]
async fn bill_is_not_called_when_the_secret_cannot_be_written() {
    let stack = TestStack::start().await;
    stack.secrets.fail_writes_after(0);
    let message = stack.webhooks.create().await.unwrap_err().to_string();
    assert!(
        message.contains("cannot write the secret webhook-keys"),
        "{message}"
    );
    assert!(stack.webhooks.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn refused_create_leaves_no_pending_state() {
    let stack = TestStack::start().await;
    stack.refuse("createSubscription");
    stack.webhooks.create().await.unwrap_err();
    assert!(stack.secrets.json().get("pending").is_none());
    stack.sandbox.clear_faults();
    assert!(!stack.webhooks.create().await.unwrap().was_interrupted);
}

#[tokio::test]
async fn refused_delete_is_completed_by_the_next_delete() {
    let stack = TestStack::start().await;
    stack.secrets.fail_writes_after(1);
    stack.webhooks.create().await.unwrap_err();
    stack.secrets.allow_writes();
    stack.refuse("deleteSubscription");
    stack.webhooks.delete(None, false).await.unwrap_err();
    assert_eq!(stack.webhooks.list().await.unwrap().len(), 1);
    assert!(stack.secrets.json().get("pending").is_none());

    stack.sandbox.clear_faults();
    stack.webhooks.delete(None, false).await.unwrap();
    assert!(stack.webhooks.list().await.unwrap().is_empty());
    assert!(!stack.webhooks.create().await.unwrap().was_interrupted);
    stack.assert_single_working_subscription().await;
}

#[tokio::test]
async fn pending_state_is_removed_before_the_subscription_is_deleted() {
    let stack = TestStack::start().await;
    stack.secrets.fail_writes_after(1);
    stack.webhooks.create().await.unwrap_err();
    stack.secrets.fail_writes_after(0);
    let message = stack
        .webhooks
        .delete(None, false)
        .await
        .unwrap_err()
        .to_string();
    assert!(message.contains("cannot write the secret"), "{message}");
    assert_eq!(
        stack.webhooks.list().await.unwrap().len(),
        1,
        "it is there for the next attempt"
    );

    stack.secrets.allow_writes();
    stack.webhooks.delete(None, false).await.unwrap();
    assert!(stack.webhooks.list().await.unwrap().is_empty());
    assert!(stack.secrets.json().get("pending").is_none());
}

#[tokio::test]
async fn create_after_deleting_an_interrupted_one_starts_afresh() {
    let stack = TestStack::start().await;
    stack.secrets.fail_writes_after(1);
    stack.webhooks.create().await.unwrap_err();
    stack.secrets.allow_writes();
    stack.webhooks.delete(None, false).await.unwrap();
    let created = stack.webhooks.create().await.unwrap();
    assert!(!created.was_interrupted);
    assert_eq!(stack.webhooks.list().await.unwrap(), [created.subscription]);
}

#[tokio::test]
async fn rotate_key_after_a_failed_delete_rotates_again() {
    let stack = TestStack::start().await;
    let first = stack.webhooks.create().await.unwrap().subscription;
    stack.refuse("deleteSubscription");
    stack.webhooks.rotate_key(false).await.unwrap_err();
    let keys = stack.keys();
    let second = stack.webhooks.list().await.unwrap().remove(1);

    stack.sandbox.clear_faults();
    let finished = stack.webhooks.rotate_key(true).await.unwrap();
    assert!(finished.was_interrupted);
    assert_eq!(finished.ended, [first.id.unwrap(), second.id.unwrap()]);
    assert_eq!(
        stack.assert_single_working_subscription().await,
        finished.subscription
    );
    for former in [Some(keys.current), keys.previous] {
        assert!(
            !stack.keys().verify(b"{}", &former.unwrap().sign(b"{}")),
            "the key is another"
        );
    }
}

#[tokio::test]
async fn create_at_the_subscription_limit_explains_the_limit() {
    let stack = TestStack::start().await;
    for number in 0..10 {
        stack
            .create_foreign_subscription(&format!(
                "https://hooks.northlight-ledger.example/{number}"
            ))
            .await;
    }
    let message = format!("{:#}", stack.webhooks.create().await.unwrap_err());
    assert!(
        message.contains("allows 10 subscriptions")
            && message.contains("engage webhooks delete ID"),
        "{message}"
    );
    assert!(message.contains("createSubscription"), "{message}");
    assert!(stack.secrets.json().get("pending").is_none());
}
