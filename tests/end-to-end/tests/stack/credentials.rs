//! Secrets that are missing, of the wrong shape or refused: the documented error, and nothing
//! touched.

use anyhow::{Result, ensure};
use local_cloud::{LocalCloud, Options};
use serde_json::{Value, json};

use crate::support::{now, options, organizations, sweep};

#[tokio::test(flavor = "multi_thread")]
async fn invalid_credentials_are_reported_and_nothing_is_written() -> Result<()> {
    let cloud = LocalCloud::start(Options {
        organizations: 5,
        put_credentials: false,
        ..options()
    })
    .await?;
    let secret = cloud.output("BillCredentialsSecret")?.to_owned();

    let missing = fails(&cloud, "secret_missing").await?;
    ensure!(
        missing.contains(&secret) && missing.contains("aws secretsmanager put-secret-value"),
        "{missing}"
    );

    cloud
        .put_credentials(r#"{"username":"someone@partner.example","password":"hunter2hunter2"}"#)
        .await?;
    let malformed = fails(&cloud, "secret_malformed").await?;
    ensure!(
        malformed.contains("appKey")
            && malformed.contains("devKey")
            && !malformed.contains("hunter2"),
        "{malformed}"
    );

    cloud.put_credentials("hunter2hunter2").await?;
    let text = fails(&cloud, "secret_malformed").await?;
    ensure!(!text.contains("hunter2"), "{text}");
    ensure!(
        cloud.sandbox().statistics().requests == 0,
        "BILL was called without credentials"
    );

    let wrong = sandbox::Credentials {
        password: "hunter2hunter2".to_owned(),
        ..cloud.sandbox().credentials().clone()
    };
    cloud.put_credentials(&wrong.to_json()).await?;
    for _ in 0..3 {
        let refused = fails(&cloud, "bill_bad_credentials").await?;
        ensure!(
            !refused.contains("hunter2") && !refused.contains("northlight"),
            "{refused}"
        );
    }
    let logins = cloud.sandbox().statistics().partner_logins;
    ensure!(
        (1..=2).contains(&logins),
        "refused credentials were tried {logins} times"
    );

    for function in ["FanOutFunction", "SyncOrganizationFunction"] {
        ensure!(
            !cloud
                .logs(function)
                .await?
                .iter()
                .any(|line| line.contains("hunter2")),
            "a password was logged"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_stored_after_deployment_are_used_at_once() -> Result<()> {
    let cloud = LocalCloud::start(Options {
        organizations: 5,
        put_credentials: false,
        ..options()
    })
    .await?;
    fails(&cloud, "secret_missing").await?;
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

/// Fan-out and sync fail with this error and leave everything as it was. Returns fan-out's message.
async fn fails(cloud: &LocalCloud, error_type: &str) -> Result<String> {
    let event = json!({"time": now().to_string()});
    let fan_out = cloud.invoke("FanOutFunction", &event).await?;
    ensure!(
        fan_out.payload["errorType"] == error_type,
        "{}\n{}",
        fan_out.payload,
        fan_out.log_tail
    );
    if error_type.starts_with("secret_") {
        let sync = cloud
            .invoke(
                "SyncOrganizationFunction",
                &crate::support::event("sync-organization.json")?,
            )
            .await?;
        ensure!(
            sync.payload["errorType"] == error_type,
            "{}\n{}",
            sync.payload,
            sync.log_tail
        );
    }
    for table in [
        "OrganizationsTable",
        "TransitionsTable",
        "NoticesTable",
        "ContactsTable",
        "RunsTable",
    ] {
        let items: Vec<Value> = cloud.scan(table).await?;
        ensure!(items.is_empty(), "{table} was touched: {items:?}");
    }
    ensure!(cloud.backlog().await?.total() == 0, "messages were queued");
    Ok(fan_out.payload["errorMessage"]
        .as_str()
        .unwrap_or_default()
        .to_owned())
}
