//! `samconfig.toml` as `make deploy` uses it.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result, ensure};
use local_cloud::{LocalCloud, Options, workspace_root};

#[tokio::test(flavor = "multi_thread")]
async fn sandbox_and_production_stacks_share_no_resources() -> Result<()> {
    let config_file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("samconfig.toml");
    let original = fs::read_to_string(workspace_root().join("samconfig.toml"))?;
    fs::write(
        &config_file,
        original.replace("engage@example.com", "engage@partner.example"),
    )?;

    let cloud = LocalCloud::start(Options::default()).await?;
    let mut all = resources(&cloud, cloud.stack_name()).await?;
    for environment in ["sandbox", "production"] {
        deploy(&cloud, environment, &config_file).await?;

        let resources = resources(&cloud, &format!("bill-engage-{environment}")).await?;
        let shared: Vec<_> = all.intersection(&resources).collect();
        ensure!(
            shared.is_empty(),
            "two stacks of one account share these resources: {shared:?}"
        );
        all.extend(resources);
    }
    Ok(())
}

async fn deploy(cloud: &LocalCloud, environment: &str, config_file: &Path) -> Result<()> {
    let mut deploy = local_cloud::sam_command(cloud.endpoint())?;
    deploy
        .args(["deploy", "--config-env", environment])
        .args(["--no-confirm-changeset", "--config-file"])
        .arg(config_file);
    let deployed = deploy.output().await.context("cannot run sam deploy")?;
    ensure!(
        deployed.status.success(),
        "{environment}: {}",
        String::from_utf8_lossy(&deployed.stderr)
    );
    Ok(())
}

/// Types and physical ids of a stack's resources, without API stages, whose names are unique only
/// within their API.
async fn resources(cloud: &LocalCloud, stack: &str) -> Result<BTreeSet<(String, String)>> {
    let client = aws_sdk_cloudformation::Client::new(&cloud.config().await);
    let response = client
        .describe_stack_resources()
        .stack_name(stack)
        .send()
        .await?;

    let resources: BTreeSet<_> = response
        .stack_resources()
        .iter()
        .filter(|resource| resource.resource_type() != Some("AWS::ApiGatewayV2::Stage"))
        .filter_map(|resource| {
            Some((
                resource.resource_type()?.to_owned(),
                resource.physical_resource_id()?.to_owned(),
            ))
        })
        .collect();
    ensure!(
        resources.len() > 60,
        "{stack} has only {} resources",
        resources.len()
    );
    Ok(resources)
}
