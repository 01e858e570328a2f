//! What the commands print about a subscription, and the keys that they must not print.

use anyhow::{Context, Result, ensure};
use bill::events::{Subscription, SubscriptionId};
use engage::{
    report::{self, SubscriptionView},
    webhooks::Webhooks,
};
use local_cloud::LocalCloud;
use serde_json::{Value, json};

/// What the commands print about a subscription, as text and as JSON. `Err` also when the output
/// contains a key.
pub async fn printed_output(
    cloud: &LocalCloud,
    webhooks: &Webhooks,
    subscription: &Subscription,
) -> Result<String> {
    let view = SubscriptionView::new(subscription, webhooks.belongs_to_stack(subscription));
    let all: Vec<SubscriptionView> = webhooks
        .list()
        .await?
        .iter()
        .map(|listed| SubscriptionView::new(listed, webhooks.belongs_to_stack(listed)))
        .collect();
    let output = [
        report::subscription_details(&view),
        json!(view).to_string(),
        report::subscription_list(&all),
        json!(all).to_string(),
    ]
    .join("\n");

    let keys = stored_keys(cloud).await?;
    ensure!(keys["current"].is_string(), "no key is stored");
    let is_printed = |name: &&str| keys[*name].as_str().is_some_and(|key| output.contains(key));
    ensure!(
        !["current", "previous"].iter().any(is_printed),
        "a key is printed"
    );
    Ok(output)
}

/// The content of the stack's secret with the webhook keys.
pub async fn stored_keys(cloud: &LocalCloud) -> Result<Value> {
    let secret = cloud
        .secrets()
        .get_secret_value()
        .secret_id(cloud.output("WebhookKeysSecret")?)
        .send()
        .await?;
    let keys = secret.secret_string().context("the secret is not a text")?;

    Ok(serde_json::from_str(keys)?)
}

pub fn subscription_id(subscription: Subscription) -> Result<SubscriptionId> {
    subscription.id.context("a subscription without an id")
}
