//! What the partner's own product gets from the HTTP API, and what it can do there.

mod banner;

use std::{collections::HashMap, process::Stdio};

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use content::Content;
use engagement::Stage;
use local_cloud::{Api, LocalCloud, Options, tool, workspace_root};
use reqwest::{Method, Response, header};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{event, now, options, organizations, succeed, sweep, text};

#[tokio::test(flavor = "multi_thread")]
async fn in_product_api_serves_stage_messages_and_records_dismissals() -> Result<()> {
    let cloud = LocalCloud::start(Options {
        organizations: 60,
        ..options()
    })
    .await?;
    sweep(&cloud, now()).await?;
    let api = cloud.api()?;
    every_organization_gets_the_message_of_its_stage(&cloud, &api).await?;
    unsigned_requests_are_rejected(&cloud, &api).await?;
    dismissed_message_stays_dismissed_and_changes_nothing_else(&cloud, &api).await?;
    sample_events_are_accepted(&cloud).await?;
    responses_match_the_openapi_document(&cloud).await
}

async fn every_organization_gets_the_message_of_its_stage(
    cloud: &LocalCloud,
    api: &Api,
) -> Result<()> {
    let content = Content::embedded()?;
    let mut stages: HashMap<String, usize> = HashMap::new();
    for (id, item) in organizations(cloud).await? {
        let stage = text(&item, "stage")?;
        let shown = messages(get(api, &id).await?).await?;
        let expected = content.in_product(stage.parse::<Stage>()?);
        let titles: Vec<_> = shown
            .iter()
            .map(|message| message["title"].as_str())
            .collect();
        ensure!(
            titles == Vec::from_iter(expected.map(|message| Some(message.title.as_str()))),
            "{id} in {stage}: {shown:?}"
        );
        ensure!(
            shown
                .iter()
                .all(|message| message["stage_since"] == item["stage_since"]),
            "{id}: {shown:?}"
        );
        *stages.entry(stage).or_default() += 1;
    }
    ensure!(
        stages.len() > 5,
        "too few stages for the test to mean anything: {stages:?}"
    );
    Ok(())
}

async fn unsigned_requests_are_rejected(cloud: &LocalCloud, api: &Api) -> Result<()> {
    let (id, message) = dismissible(cloud, api).await?;
    for (method, path) in [
        (Method::GET, messages_path(&id)),
        (Method::POST, dismiss(&id, &message)),
    ] {
        let answer = api.request(method, &path).send().await?;
        ensure!(answer.status() == 403, "{path}: {}", answer.status());
    }
    ensure!(
        messages(get(api, &id).await?).await?.len() == 1,
        "an unsigned request dismissed a message"
    );
    Ok(())
}

async fn dismissed_message_stays_dismissed_and_changes_nothing_else(
    cloud: &LocalCloud,
    api: &Api,
) -> Result<()> {
    let (id, message) = dismissible(cloud, api).await?;
    let before = organizations(cloud).await?;
    let notices = cloud.scan("NoticesTable").await?.len();
    let tag = header_value(&get(api, &id).await?, &header::ETAG)?;
    let again = api
        .send_signed(Method::GET, &messages_path(&id), &[("if-none-match", &tag)])
        .await?;
    ensure!(
        again.status() == 304
            && header_value(&again, &header::CACHE_CONTROL)? == "private, max-age=60",
        "{again:?}"
    );
    for _ in 0..2 {
        let answer = api
            .send_signed(Method::POST, &dismiss(&id, &message), &[])
            .await?;
        ensure!(
            answer.status() == 204,
            "{}: {}",
            answer.status(),
            answer.text().await?
        );
        ensure!(
            messages(get(api, &id).await?).await?.is_empty(),
            "the message is shown again"
        );
    }
    for (path, expected) in [
        (dismiss(&id, "dormant_30-20200101T000000Z"), 404),
        (dismiss("00802UNKNOWN", &message), 404),
    ] {
        let answer = api.send_signed(Method::POST, &path, &[]).await?;
        ensure!(
            answer.status() == expected
                && header_value(&answer, &header::CONTENT_TYPE)? == "application/problem+json",
            "{path}"
        );
    }
    ensure!(
        organizations(cloud).await? == before,
        "an organization changed"
    );
    ensure!(
        cloud.scan("NoticesTable").await?.len() == notices + 1,
        "one dismissal is one item"
    );
    Ok(())
}

async fn sample_events_are_accepted(cloud: &LocalCloud) -> Result<()> {
    for name in ["in-product-get.json", "in-product-dismiss.json"] {
        let answer = succeed(cloud, "InProductFunction", &event(name)?).await?;
        ensure!(answer["statusCode"] == 404, "{name}: {answer}");
    }
    Ok(())
}

/// Asks, by schemathesis, what the document allows and what it forbids; its examples are about an
/// organization that is put there.
async fn responses_match_the_openapi_document(cloud: &LocalCloud) -> Result<()> {
    put(
        cloud,
        "OrganizationsTable",
        &organization(Stage::NoBankAccount, "2026-11-23T06:00:00Z"),
    )
    .await?;
    let api = cloud
        .output("ApiUrl")?
        .trim_start_matches("http://")
        .split('.')
        .next()
        .context("the API has no id")?
        .to_owned();
    let output = Command::new(tool("schemathesis")?)
        .arg("run")
        .arg(workspace_root().join("functions/in-product/openapi.yaml"))
        .args([
            "--url",
            &format!(
                "{}/restapis/{api}/$default/_user_request_",
                cloud.endpoint()
            ),
        ])
        .args([
            "--checks",
            "all",
            "--max-examples",
            "30",
            "--seed",
            "1",
            "--workers",
            "2",
            "--no-color",
        ])
        // The one wants 401 where AWS answers 403; for the other, MiniStack lets everything through
        // that has some `Authorization`.
        .args(["--exclude-checks", "missing_required_header,ignored_auth"])
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .env("PYTHONPATH", workspace_root().join("tests/end-to-end"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SCHEMATHESIS_HOOKS", "sign_requests")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// An organization with a message that can be closed, and the message's id.
async fn dismissible(cloud: &LocalCloud, api: &Api) -> Result<(String, String)> {
    for id in organizations(cloud).await?.into_keys() {
        if let [message] = &messages(get(api, &id).await?).await?[..]
            && message["dismissible"] == true
        {
            return Ok((id, text(message, "id")?));
        }
    }
    anyhow::bail!("no organization has a message that can be closed")
}

/// Asks for the messages of an organization as the partner's product does.
pub async fn get(api: &Api, organization: &str) -> Result<Response> {
    api.send_signed(Method::GET, &messages_path(organization), &[])
        .await
}

/// The messages of an answer.
pub async fn messages(answer: Response) -> Result<Vec<Value>> {
    let (status, body) = (answer.status(), answer.text().await?);
    ensure!(status == 200, "{status}: {body}");
    let body: Value = serde_json::from_str(&body)?;
    Ok(body["messages"].as_array().context("no messages")?.clone())
}

fn messages_path(organization: &str) -> String {
    format!("/v1/organizations/{organization}/messages")
}

fn dismiss(organization: &str, message: &str) -> String {
    format!("{}/{message}/dismiss", messages_path(organization))
}

fn header_value(answer: &Response, name: &header::HeaderName) -> Result<String> {
    Ok(answer
        .headers()
        .get(name)
        .with_context(|| format!("no {name}"))?
        .to_str()?
        .to_owned())
}

/// The item of the organization of the document's examples, as a look writes it.
fn organization(stage: Stage, since: &str) -> Value {
    json!({
        "organization_id": "00802KESTRELBAKEm7q2", "name": "Kestrel Bakehouse", "stage": stage.to_string(),
        "stage_reason": "none_connected", "stage_since": since, "checked_at": since, "next_check_at": "2099-01-01T00:00:00Z",
        "bank_accounts": 0, "verified_bank_accounts": 0, "payments_30d": 0, "payments_90d": 0, "amount_30d": 0, "users": 1,
        "contacts": [], "steps": {}, "version": 1, "schema_version": 1,
    })
}

async fn put(cloud: &LocalCloud, table: &str, item: &Value) -> Result<()> {
    let item: HashMap<String, AttributeValue> = serde_dynamo::to_item(item)?;
    cloud
        .dynamodb()
        .put_item()
        .table_name(cloud.output(table)?)
        .set_item(Some(item))
        .send()
        .await?;
    Ok(())
}
