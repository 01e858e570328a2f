//! Invalid unsubscribe tokens: the response does not reveal what is wrong with a token.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use engagement::{EmailSubscription, UnsubscribeKeys};
use local_cloud::LocalCloud;
use reqwest::StatusCode;
use serde_json::{Value, json};
use url::Url;

use crate::preferences_client::{PageResponse, PreferencesClient};

/// Requests for each kind of invalid token.
const SAMPLES: usize = 25;

/// Sends invalid tokens, made from that of a valid link. Prints the response times; they are not
/// asserted.
pub async fn invalid_tokens_get_identical_responses(
    cloud: &LocalCloud,
    client: &PreferencesClient,
    valid_link: &Url,
) -> Result<()> {
    let tokens = invalid_tokens(cloud, valid_link).await?;
    let mut expected: Option<PageResponse> = None;
    let mut durations = BTreeMap::<_, Vec<Duration>>::new();

    for (kind, token) in (0..SAMPLES).flat_map(|_| &tokens) {
        let url = client.unsubscribe_url(token)?;
        let started = Instant::now();
        let response = client.get(&url).await?;
        durations.entry(*kind).or_default().push(started.elapsed());
        ensure!(
            response.status == StatusCode::NOT_FOUND,
            "{kind}: {response:?}"
        );
        ensure!(
            *expected.get_or_insert_with(|| response.clone()) == response,
            "{kind}: {response:?}"
        );
    }

    for (kind, token) in &tokens {
        let url = client.unsubscribe_url(token)?;
        for body in ["List-Unsubscribe=One-Click", "action=leave_all"] {
            let response = client.post(&url, body).await?;
            ensure!(expected.as_ref() == Some(&response), "{kind}: {response:?}");
        }
    }

    // API Gateway responds to this request itself: it has no such route.
    let without_token = client.get(&client.unsubscribe_url("")?).await?;
    ensure!(
        without_token.status == StatusCode::NOT_FOUND,
        "{without_token:?}"
    );
    print_medians(durations);
    Ok(())
}

/// Invalid tokens by what is wrong with them.
async fn invalid_tokens(
    cloud: &LocalCloud,
    valid_link: &Url,
) -> Result<BTreeMap<&'static str, String>> {
    let valid = valid_link
        .path_segments()
        .and_then(Iterator::last)
        .context("a link without a token")?;
    let [key, hash, category, signature] = valid.split('.').collect::<Vec<_>>()[..] else {
        bail!("a token of another format: {valid}")
    };

    let secret = cloud
        .secrets()
        .get_secret_value()
        .secret_id(cloud.output("UnsubscribeKeysSecret")?)
        .send()
        .await?;
    let stack_keys: Value = serde_json::from_str(secret.secret_string().unwrap_or_default())?;
    let keys: UnsubscribeKeys = serde_json::from_value(stack_keys.clone())?;
    let subscription: EmailSubscription = keys
        .verify(valid)
        .context("the token of an e-mail does not verify")?;

    let foreign_keys: UnsubscribeKeys =
        serde_json::from_value(json!({"current": "k1", "k1": "x".repeat(64)}))?;
    // Signed with the stack's key, under a name that the stack does not know.
    let unknown_name: UnsubscribeKeys =
        serde_json::from_value(json!({"current": "k2", "k2": stack_keys["k1"]}))?;
    let changed = if signature.starts_with('A') { "B" } else { "A" };
    let changed_signature = format!("{changed}{}", &signature[1..]);

    Ok(BTreeMap::from([
        ("truncated", valid[..valid.len() - 1].to_owned()),
        ("no signature", format!("{key}.{hash}.{category}")),
        (
            "one character changed",
            format!("{key}.{hash}.{category}.{changed_signature}"),
        ),
        (
            "another category",
            format!("{key}.{hash}.product.{signature}"),
        ),
        ("another key", foreign_keys.sign(&subscription)),
        ("unknown key name", unknown_name.sign(&subscription)),
        ("too long", format!("{valid}{}", "A".repeat(4_000))),
        ("blank", "%20".to_owned()),
        ("garbage", "garbage".to_owned()),
    ]))
}

#[expect(clippy::print_stdout, reason = "figures for whoever runs the tests")]
fn print_medians(durations: BTreeMap<&'static str, Vec<Duration>>) {
    for (kind, mut durations) in durations {
        let median = *durations.select_nth_unstable(SAMPLES / 2).1;
        println!(
            "median response time, {kind}: {:.2} ms",
            median.as_secs_f64() * 1000.0
        );
    }
}
