//! Commands that end half-way, and what happens at BILL before they are run again.

use bill::events::Subscription;
use engage::webhooks::{Enabled, SubscriptionChange};
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
                Enabled::Replaced(established) => Ok(established),
                Enabled::AlreadyEnabled(subscription) => {
                    anyhow::bail!("nothing was done about {subscription:?}")
                }
            },
        }
    }
}

/// What becomes of a subscription before the command is run again.
#[derive(Debug, Clone, Copy)]
enum Interference {
    Disabled,
    Ended,
}

impl Interference {
    async fn strike(self, stack: &TestStack, subscription: &Subscription) {
        match self {
            Self::Disabled => stack.publish_until_disabled().await,
            Self::Ended => stack.end(subscription.id.as_ref().unwrap()).await,
        }
    }
}

/// A stack whose first subscription works, and whose second was made by a rotation that could not
/// store its key.
async fn interrupted_before_the_key_was_stored() -> (TestStack, Subscription, Subscription) {
    let stack = TestStack::start().await;
    let first = stack.webhooks.create().await.unwrap().subscription;
    stack.secrets.fail_writes_after(1);
    stack.webhooks.rotate_key(false).await.unwrap_err();
    stack.secrets.allow_writes();
    let second = stack.webhooks.list().await.unwrap().remove(1);
    (stack, first, second)
}

/// A stack whose second subscription has taken the first one's place; the first, which delivers as
/// well, could not be ended.
async fn interrupted_before_the_old_one_was_deleted() -> (TestStack, Subscription, Subscription) {
    let stack = TestStack::start().await;
    let first = stack.webhooks.create().await.unwrap().subscription;
    stack.refuse("deleteSubscription");
    stack.webhooks.rotate_key(false).await.unwrap_err();
    stack.sandbox.clear_faults();
    let second = stack.webhooks.list().await.unwrap().remove(1);
    (stack, first, second)
}

/// Makes the present key unknown, so that BILL switches off what is signed with it; the one before
/// stays.
fn lose_current_key(stack: &TestStack) {
    let mut stored = stack.secrets.json();
    stored["current"] = "another".into();
    stack.secrets.put(&stored.to_string());
}

#[rstest]
#[case::create_off(Command::Create, Interference::Disabled)]
#[case::create_ended(Command::Create, Interference::Ended)]
#[case::rotate_key_off(Command::RotateKey, Interference::Disabled)]
#[case::rotate_key_ended(Command::RotateKey, Interference::Ended)]
#[case::enable_off(Command::Enable, Interference::Disabled)]
#[case::enable_ended(Command::Enable, Interference::Ended)]
#[tokio::test]
async fn lost_new_subscription_does_not_replace_a_working_one(
    #[case] command: Command,
    #[case] interference: Interference,
) {
    let (stack, first, second) = interrupted_before_the_key_was_stored().await;
    interference.strike(&stack, &second).await;

    // A third is made, and its key cannot be stored: until then the first has to stay.
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

    let finished = command.run(&stack).await.unwrap();
    assert!(finished.was_interrupted);
    assert_eq!(finished.ended, [first.id.unwrap()]);
    assert_ne!(finished.subscription.id, second.id);
    assert_eq!(
        stack.assert_single_working_subscription().await,
        finished.subscription
    );
}

#[tokio::test]
async fn create_replaces_a_pending_subscription_that_bill_disabled() {
    let stack = TestStack::start().await;
    stack.secrets.fail_writes_after(1);
    stack.webhooks.create().await.unwrap_err();
    stack.secrets.allow_writes();
    stack.publish_until_disabled().await;
    let finished = stack.webhooks.create().await.unwrap();
    assert!(finished.was_interrupted);
    assert_eq!(
        stack.assert_single_working_subscription().await,
        finished.subscription
    );
}

#[rstest]
#[case::rotate_key_off(Command::RotateKey, Interference::Disabled)]
#[case::rotate_key_ended(Command::RotateKey, Interference::Ended)]
#[case::enable_off(Command::Enable, Interference::Disabled)]
#[case::enable_ended(Command::Enable, Interference::Ended)]
#[tokio::test]
async fn old_subscription_is_kept_when_the_new_one_does_not_deliver(
    #[case] command: Command,
    #[case] interference: Interference,
) {
    let (stack, first, second) = interrupted_before_the_old_one_was_deleted().await;
    lose_current_key(&stack);
    interference.strike(&stack, &second).await;

    // Nor is it when the place cannot be taken by a third.
    stack.refuse("createSubscription");
    command.run(&stack).await.unwrap_err();
    stack.sandbox.clear_faults();
    assert!(stack.webhooks.list().await.unwrap().contains(&first));

    let finished = command.run(&stack).await.unwrap();
    assert!(finished.was_interrupted);
    assert!(finished.ended.contains(first.id.as_ref().unwrap()));
    assert_eq!(
        stack.assert_single_working_subscription().await,
        finished.subscription
    );
}

#[rstest]
#[case::off(Interference::Disabled)]
#[case::ended(Interference::Ended)]
#[tokio::test]
async fn create_beside_a_disabled_subscription_suggests_enable(#[case] interference: Interference) {
    let (stack, first, second) = interrupted_before_the_old_one_was_deleted().await;
    lose_current_key(&stack);
    interference.strike(&stack, &second).await;
    let refusal = stack.webhooks.create().await.unwrap_err().to_string();
    assert!(
        refusal.contains("already subscribed") && refusal.contains("engage webhooks enable"),
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
    let finished = command.run(&stack).await.unwrap();
    assert!(finished.was_interrupted);
    assert_eq!(finished.ended, [first.id.unwrap()]);
    assert_eq!(stack.assert_single_working_subscription().await, second);
}

#[tokio::test]
async fn create_starts_afresh_when_no_subscription_remains() {
    let (stack, first, second) = interrupted_before_the_old_one_was_deleted().await;
    for subscription in [first, second] {
        stack.end(subscription.id.as_ref().unwrap()).await;
    }
    let refusal = stack.webhooks.enable().await.unwrap_err().to_string();
    assert!(refusal.contains("engage webhooks create"), "{refusal}");
    assert!(!stack.webhooks.create().await.unwrap().was_interrupted);
    stack.assert_single_working_subscription().await;
}
