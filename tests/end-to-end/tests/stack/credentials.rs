//! BILL credentials that are missing, malformed or rejected: the documented error is returned, and
//! nothing is written.

use anyhow::{Result, ensure};
use local_cloud::{LocalCloud, Options};
use serde_json::json;

use crate::support::{now, options, organizations, read_event, sweep};

#[tokio::test(flavor = "multi_thread")]
async fn invalid_credentials_are_reported_and_nothing_is_written() -> Result<()> {
    let cloud = start_without_credentials().await?;

    missing_secret_is_reported(&cloud).await?;
    malformed_secret_is_reported(&cloud).await?;
    rejected_credentials_are_not_retried_at_once(&cloud).await?;

    for function in ["FanOutFunction", "SyncOrganizationFunction"] {
        let lines = cloud.logs(function).await?;
        ensure!(
            !lines.iter().any(|line| line.contains("hunter2")),
            "a password was logged"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_stored_after_deployment_are_used_at_once() -> Result<()> {
    let cloud = start_without_credentials().await?;
    assert_fails_with(&cloud, "secret_missing").await?;

    cloud
        .put_credentials(&cloud.sandbox().credentials().to_json())
        .await?;
    sweep(&cloud, now()).await?;

    ensure!(
        organizations(&cloud).await?.len() == 5,
        "not every organization was synced"
    );
    Ok(())
}

async fn start_without_credentials() -> Result<LocalCloud> {
    LocalCloud::start(Options {
        organizations: 5,
        put_credentials: false,
        ..options()
    })
    .await
}

async fn missing_secret_is_reported(cloud: &LocalCloud) -> Result<()> {
    let secret = cloud.output("BillCredentialsSecret")?;

    let message = assert_fails_with(cloud, "secret_missing").await?;

    ensure!(
        message.contains(secret) && message.contains("aws secretsmanager put-secret-value"),
        "{message}"
    );
    Ok(())
}

async fn malformed_secret_is_reported(cloud: &LocalCloud) -> Result<()> {
    cloud
        .put_credentials(r#"{"username":"someone@partner.example","password":"hunter2hunter2"}"#)
        .await?;
    let message = assert_fails_with(cloud, "secret_malformed").await?;
    ensure!(
        message.contains("appKey") && message.contains("devKey") && !message.contains("hunter2"),
        "{message}"
    );

    cloud.put_credentials("hunter2hunter2").await?;
    let message = assert_fails_with(cloud, "secret_malformed").await?;
    ensure!(!message.contains("hunter2"), "{message}");
    ensure!(
        cloud.sandbox().statistics().requests == 0,
        "a request to BILL without credentials"
    );
    Ok(())
}

async fn rejected_credentials_are_not_retried_at_once(cloud: &LocalCloud) -> Result<()> {
    let wrong = sandbox::Credentials {
        password: "hunter2hunter2".to_owned(),
        ..cloud.sandbox().credentials().clone()
    };
    cloud.put_credentials(&wrong.to_json()).await?;

    for _ in 0..3 {
        let message = assert_fails_with(cloud, "bill_bad_credentials").await?;
        ensure!(
            !message.contains("hunter2") && !message.contains("northlight"),
            "{message}"
        );
    }

    let sign_ins = cloud.sandbox().statistics().partner_logins;
    ensure!(
        (1..=2).contains(&sign_ins),
        "{sign_ins} sign-ins with rejected credentials"
    );
    Ok(())
}

/// Asserts that fan-out and, when the secret itself is the cause, sync-organization fail with an
/// error type and write nothing. Returns fan-out's error message.
async fn assert_fails_with(cloud: &LocalCloud, error_type: &str) -> Result<String> {
    let event = json!({"time": now().to_string()});
    let fan_out = cloud.invoke("FanOutFunction", &event).await?;
    ensure!(
        fan_out.payload["errorType"] == error_type,
        "{}\n{}",
        fan_out.payload,
        fan_out.log_tail
    );

    if error_type.starts_with("secret_") {
        let event = read_event("sync-organization.json")?;
        let sync = cloud.invoke("SyncOrganizationFunction", &event).await?;
        ensure!(
            sync.payload["errorType"] == error_type,
            "{}\n{}",
            sync.payload,
            sync.log_tail
        );
    }

    assert_nothing_is_written(cloud).await?;
    Ok(fan_out.payload["errorMessage"]
        .as_str()
        .unwrap_or_default()
        .to_owned())
}

/// Asserts that nothing is known about any customer. The budget of the hour and the state of the
/// sweep may be.
async fn assert_nothing_is_written(cloud: &LocalCloud) -> Result<()> {
    for table in [
        "OrganizationsTable",
        "TransitionsTable",
        "NoticesTable",
        "ContactsTable",
    ] {
        let items = cloud.scan(table).await?;
        ensure!(items.is_empty(), "{table} is not empty: {items:?}");
    }
    ensure!(cloud.backlog().await?.total() == 0, "messages were queued");
    Ok(())
}
