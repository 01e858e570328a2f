//! Commands that are interrupted and run again.

use jiff::SignedDuration;

use crate::support::TestStack;

#[tokio::test]
async fn create_resumes_when_the_key_could_not_be_stored() {
    let stack = TestStack::start().await;
    stack.secrets.fail_writes_after(1);
    stack.webhooks.create().await.unwrap_err();

    let existing = stack.webhooks.list().await.unwrap();
    assert_eq!(existing.len(), 1, "BILL has created the subscription");
    assert!(stack.secrets.keys().is_none());

    stack.secrets.allow_writes();
    let change = stack.webhooks.create().await.unwrap();

    assert!(change.was_interrupted);
    assert_eq!(
        stack.webhooks.list().await.unwrap(),
        existing,
        "the subscription is the same one"
    );
    assert_eq!(
        stack.webhooks.test(None).await.unwrap().status_code,
        Some(200),
        "the stored key is the key of the subscription"
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

    let change = stack.webhooks.create().await.unwrap();

    assert_ne!(change.subscription.id, lost);
    assert_eq!(stack.webhooks.list().await.unwrap(), [change.subscription]);
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
    stack.fail_operation("createSubscription");
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
    stack.fail_operation("deleteSubscription");
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
        "the subscription stays for the next attempt"
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

    stack.fail_operation("deleteSubscription");
    stack.webhooks.rotate_key(false).await.unwrap_err();

    let keys = stack.keys();
    let second = stack.webhooks.list().await.unwrap().remove(1);

    stack.sandbox.clear_faults();
    let change = stack.webhooks.rotate_key(true).await.unwrap();

    assert!(change.was_interrupted);
    assert_eq!(change.deleted, [first.id.unwrap(), second.id.unwrap()]);
    assert_eq!(
        stack.assert_single_working_subscription().await,
        change.subscription
    );
    for former in [Some(keys.current), keys.previous] {
        assert!(
            !stack.keys().verify(b"{}", &former.unwrap().sign(b"{}")),
            "the former key is no longer valid"
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
