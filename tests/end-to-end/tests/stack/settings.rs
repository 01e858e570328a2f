//! What `samconfig.toml` says, as `make deploy` uses it.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result, ensure};
use local_cloud::{LocalCloud, Options, workspace_root};

#[tokio::test(flavor = "multi_thread")]
async fn sandbox_and_production_stacks_share_no_resources() -> Result<()> {
    let settings = Path::new(env!("CARGO_TARGET_TMPDIR")).join("samconfig.toml");
    let original = fs::read_to_string(workspace_root().join("samconfig.toml"))?;
    fs::write(
        &settings,
        original.replace("engage@example.com", "engage@partner.example"),
    )?;

    let cloud = LocalCloud::start(Options::default()).await?;
    let mut all = resources(&cloud, cloud.stack()).await?;
    for environment in ["sandbox", "production"] {
        let mut deploy = local_cloud::sam(cloud.endpoint())?;
        deploy
            .args([
                "deploy",
                "--config-env",
                environment,
                "--no-confirm-changeset",
                "--config-file",
            ])
            .arg(&settings);
        let deployed = deploy.output().await.context("cannot run sam deploy")?;
        ensure!(
            deployed.status.success(),
            "{environment}: {}",
            String::from_utf8_lossy(&deployed.stderr)
        );
        let resources = resources(&cloud, &format!("bill-engage-{environment}")).await?;
        let shared: Vec<_> = all.intersection(&resources).collect();
        ensure!(
            shared.is_empty(),
            "stacks of one account cannot both have these: {shared:?}"
        );
        all.extend(resources);
    }
    Ok(())
}

/// What a stack consists of: types and physical ids. A stage of an API has its name within the API
/// alone.
async fn resources(cloud: &LocalCloud, stack: &str) -> Result<BTreeSet<(String, String)>> {
    let client = aws_sdk_cloudformation::Client::new(&cloud.config().await);
    let answer = client
        .describe_stack_resources()
        .stack_name(stack)
        .send()
        .await?;
    let resources = answer
        .stack_resources()
        .iter()
        .filter(|resource| resource.resource_type() != Some("AWS::ApiGatewayV2::Stage"));
    let named = resources.filter_map(|resource| {
        Some((
            resource.resource_type()?.to_owned(),
            resource.physical_resource_id()?.to_owned(),
        ))
    });
    let named: BTreeSet<_> = named.collect();
    ensure!(named.len() > 60, "{stack} has {} resources", named.len());
    Ok(named)
}
