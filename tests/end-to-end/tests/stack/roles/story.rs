//! Makes every function use every permission of its role once.

use anyhow::{Context, Result, ensure};
use engagement::Stage;
use jiff::{SignedDuration, Timestamp};
use local_cloud::LocalCloud;
use reqwest::{Method, StatusCode};
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::{
    delivery::{
        outbox::{Outbox, STAGE_PER_CATEGORY},
        sent_call::unsubscribe_header_url,
    },
    events::support::{KEY, deliver, notification, store_key},
    in_product::support::{
        dismiss_path, get_messages, organization_item, parse_messages, put_item,
    },
    preferences_client::PreferencesClient,
    support::{invoke_ok, notify, now, sweep},
};

/// A soft bounce as SES reports it.
const SOFT_BOUNCE: &str =
    include_str!("../../../../../functions/record-feedback/tests/events/bounce-transient.json");

/// Runs all functions.
pub async fn run(cloud: &LocalCloud) -> Result<()> {
    let as_of = now();
    sync(cloud, as_of).await?;
    send(cloud, as_of).await?;
    unsubscribe(cloud).await?;
    record_feedback(cloud).await?;
    dismiss(cloud).await?;
    receive_event(cloud).await
}

/// Syncs organizations, one of which BILL refuses, makes all due, and syncs a message that cannot be read.
async fn sync(cloud: &LocalCloud, as_of: Timestamp) -> Result<()> {
    let organization = cloud.sandbox().expectations(as_of).remove(0);
    cloud.sandbox().add_fault(Fault {
        endpoint: None,
        organization_id: organization.organization_id,
        kind: FaultKind::Status {
            status: 403,
            code: None,
            retry_after: None,
        },
        times: None,
    });
    sweep(cloud, as_of).await?;
    let all = json!({"time": as_of + SignedDuration::from_secs(1), "all": true});
    invoke_ok(cloud, "FanOutFunction", &all).await?;

    let unreadable = batch(&["not a sync request"]);
    invoke_ok(cloud, "SyncOrganizationFunction", &unreadable)
        .await
        .map(drop)
}

/// Sends two e-mails to one address at once, so that one of them finds the contact changed.
async fn send(cloud: &LocalCloud, as_of: Timestamp) -> Result<()> {
    let mut outbox = Outbox::new(cloud).await?;
    for _ in 0..2 {
        outbox
            .write(as_of, STAGE_PER_CATEGORY[0], &["marisol@kestrel.example"])
            .await?;
    }

    notify(cloud, as_of).await.map(drop)
}

/// Opens the page of a sent e-mail and unsubscribes.
async fn unsubscribe(cloud: &LocalCloud) -> Result<()> {
    let sends = cloud.fault_proxy()?.calls_to("ses.SendEmail");
    let link = unsubscribe_header_url(sends.first().context("no e-mail was sent")?)?;
    let token = link
        .path_segments()
        .and_then(Iterator::last)
        .context("no token")?;
    let client = PreferencesClient::new(cloud)?;
    let page = client.unsubscribe_url(token)?;

    for response in [
        client.get(&page).await?,
        client.post(&page, "action=leave_all").await?,
    ] {
        ensure!(response.status == StatusCode::OK, "{response:?}");
    }
    Ok(())
}

/// Records a soft bounce, and an event that cannot be read.
async fn record_feedback(cloud: &LocalCloud) -> Result<()> {
    let events = batch(&[SOFT_BOUNCE, "not an event"]);

    invoke_ok(cloud, "RecordFeedbackFunction", &events)
        .await
        .map(drop)
}

/// Shows a message in the partner's product and dismisses it.
async fn dismiss(cloud: &LocalCloud) -> Result<()> {
    let organization = organization_item(Stage::Dormant30, "2026-11-23T06:00:00Z");
    put_item(cloud, "OrganizationsTable", &organization).await?;
    let id = organization["organization_id"]
        .as_str()
        .context("no organization id")?;
    let api = cloud.api()?;

    let messages = parse_messages(get_messages(&api, id).await?).await?;
    let message = messages[0]["id"].as_str().context("no message")?;
    let response = api
        .send_signed(Method::POST, &dismiss_path(id, message), &[])
        .await?;
    ensure!(response.status() == StatusCode::NO_CONTENT, "{response:?}");
    Ok(())
}

/// Receives an event that BILL signed.
async fn receive_event(cloud: &LocalCloud) -> Result<()> {
    store_key(cloud).await?;

    let body = notification("00802KESTRELBAKEm7q2", "event");
    let status = deliver(cloud, &body, KEY).await?;
    ensure!(status == StatusCode::OK, "{status}");
    Ok(())
}

/// The event of SQS for messages with these bodies.
fn batch(bodies: &[&str]) -> Value {
    let record = |(number, body)| json!({"messageId": format!("message-{number}"), "body": body});
    json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()})
}
