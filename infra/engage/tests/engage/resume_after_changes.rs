//! Commands that are interrupted and run again after the subscriptions at BILL have changed.

use bill::events::Subscription;
use engage::webhooks::{EnableResult, SubscriptionChange};
use rstest::rstest;

use crate::support::TestStack;

#[derive(Debug, Clone, Copy)]
enum Command {
    Create,
    RotateKey,
    Enable,
}

impl Command {
    async fn run(self, stack: &TestStack) -> anyhow::Result<SubscriptionChange> {
        match self {
            Self::Create => stack.webhooks.create().await,
            Self::RotateKey => stack.webhooks.rotate_key(false).await,
            Self::Enable => match stack.webhooks.enable().await? {
                EnableResult::Replaced(change) => Ok(change),
                EnableResult::AlreadyEnabled(subscription) => {
                    anyhow::bail!("enable did not replace {subscription:?}")
                }
            },
        }
    }
}

/// What happens to a subscription at BILL before the command is run again.
#[derive(Debug, Clone, Copy)]
enum Interference {
    Disabled,
    Deleted,
}

impl Interference {
    async fn apply(self, stack: &TestStack, subscription: &Subscription) {
        match self {
            Self::Disabled => stack.publish_until_disabled().await,
            Self::Deleted => {
                stack
                    .delete_subscription(subscription.id.as_ref().unwrap())
                    .await;
            }
        }
    }
}

/// A stack whose first subscription delivers. The second one was created by a key rotation that
/// could not store its key.
async fn interrupted_before_the_key_was_stored() -> (TestStack, Subscription, Subscription) {
    let stack = TestStack::start().await;
    let first = stack.webhooks.create().await.unwrap().subscription;

    stack.secrets.fail_writes_after(1);
    stack.webhooks.rotate_key(false).await.unwrap_err();
    stack.secrets.allow_writes();
    let second = stack.webhooks.list().await.unwrap().remove(1);

    (stack, first, second)
}

/// A stack whose second subscription has replaced the first one. Both deliver, because the first
/// one could not be deleted.
async fn interrupted_before_the_old_one_was_deleted() -> (TestStack, Subscription, Subscription) {
    let stack = TestStack::start().await;
    let first = stack.webhooks.create().await.unwrap().subscription;

    stack.fail_operation("deleteSubscription");
    stack.webhooks.rotate_key(false).await.unwrap_err();
    stack.sandbox.clear_faults();
    let second = stack.webhooks.list().await.unwrap().remove(1);

    (stack, first, second)
}

/// Replaces the current key in the secret, so that deliveries of the newest subscription are
/// rejected. The previous key is kept.
fn lose_current_key(stack: &TestStack) {
    let mut stored = stack.secrets.json();
    stored["current"] = "another".into();
    stack.secrets.put(&stored.to_string());
}

#[rstest]
#[case::create_disabled(Command::Create, Interference::Disabled)]
#[case::create_deleted(Command::Create, Interference::Deleted)]
#[case::rotate_key_disabled(Command::RotateKey, Interference::Disabled)]
#[case::rotate_key_deleted(Command::RotateKey, Interference::Deleted)]
#[case::enable_disabled(Command::Enable, Interference::Disabled)]
#[case::enable_deleted(Command::Enable, Interference::Deleted)]
#[tokio::test]
async fn lost_new_subscription_does_not_replace_a_working_one(
    #[case] command: Command,
    #[case] interference: Interference,
) {
    let (stack, first, second) = interrupted_before_the_key_was_stored().await;
    interference.apply(&stack, &second).await;

    // A third subscription is created, but its key cannot be stored. The first one must stay.
    stack.secrets.fail_writes_after(1);
    command.run(&stack).await.unwrap_err();
    stack.secrets.allow_writes();

    let all = stack.webhooks.list().await.unwrap();
    assert!(
        all.contains(&first) && all.iter().all(|subscription| subscription.id != second.id),
        "{all:?}"
    );
    assert_eq!(
        stack
            .webhooks
            .test(first.id.as_ref())
            .await
            .unwrap()
            .status_code,
        Some(200)
    );

    let change = command.run(&stack).await.unwrap();

    assert!(change.was_interrupted);
    assert_eq!(change.deleted, [first.id.unwrap()]);
    assert_ne!(change.subscription.id, second.id);
    assert_eq!(
        stack.assert_single_working_subscription().await,
        change.subscription
    );
}

#[tokio::test]
async fn create_replaces_a_pending_subscription_that_bill_disabled() {
    let stack = TestStack::start().await;
    stack.secrets.fail_writes_after(1);
    stack.webhooks.create().await.unwrap_err();
    stack.secrets.allow_writes();
    stack.publish_until_disabled().await;

    let change = stack.webhooks.create().await.unwrap();

    assert!(change.was_interrupted);
    assert_eq!(
        stack.assert_single_working_subscription().await,
        change.subscription
    );
}

#[rstest]
#[case::rotate_key_disabled(Command::RotateKey, Interference::Disabled)]
#[case::rotate_key_deleted(Command::RotateKey, Interference::Deleted)]
#[case::enable_disabled(Command::Enable, Interference::Disabled)]
#[case::enable_deleted(Command::Enable, Interference::Deleted)]
#[tokio::test]
async fn old_subscription_is_kept_when_the_new_one_does_not_deliver(
    #[case] command: Command,
    #[case] interference: Interference,
) {
    let (stack, first, second) = interrupted_before_the_old_one_was_deleted().await;
    lose_current_key(&stack);
    interference.apply(&stack, &second).await;

    // A third subscription cannot be created. The first one must stay.
    stack.fail_operation("createSubscription");
    command.run(&stack).await.unwrap_err();
    stack.sandbox.clear_faults();

    assert!(stack.webhooks.list().await.unwrap().contains(&first));

    let change = command.run(&stack).await.unwrap();

    assert!(change.was_interrupted);
    assert!(change.deleted.contains(first.id.as_ref().unwrap()));
    assert_eq!(
        stack.assert_single_working_subscription().await,
        change.subscription
    );
}

#[rstest]
#[case::disabled(Interference::Disabled)]
#[case::deleted(Interference::Deleted)]
#[tokio::test]
async fn create_beside_a_disabled_subscription_suggests_enable(#[case] interference: Interference) {
    let (stack, first, second) = interrupted_before_the_old_one_was_deleted().await;
    lose_current_key(&stack);
    interference.apply(&stack, &second).await;

    let refusal = stack.webhooks.create().await.unwrap_err().to_string();
    assert!(
        refusal.contains("subscribed already") && refusal.contains("engage webhooks enable"),
        "{refusal}"
    );
    assert!(stack.webhooks.list().await.unwrap().contains(&first));
}

#[rstest]
#[case::create(Command::Create)]
#[case::enable(Command::Enable)]
#[tokio::test]
async fn old_subscription_is_deleted_once_the_new_one_delivers(#[case] command: Command) {
    let (stack, first, second) = interrupted_before_the_old_one_was_deleted().await;

    let change = command.run(&stack).await.unwrap();

    assert!(change.was_interrupted);
    assert_eq!(change.deleted, [first.id.unwrap()]);
    assert_eq!(stack.assert_single_working_subscription().await, second);
}

#[tokio::test]
async fn create_starts_afresh_when_no_subscription_remains() {
    let (stack, first, second) = interrupted_before_the_old_one_was_deleted().await;
    for subscription in [first, second] {
        stack
            .delete_subscription(subscription.id.as_ref().unwrap())
            .await;
    }

    let refusal = stack.webhooks.enable().await.unwrap_err().to_string();
    assert!(refusal.contains("engage webhooks create"), "{refusal}");

    assert!(!stack.webhooks.create().await.unwrap().was_interrupted);
    stack.assert_single_working_subscription().await;
}
