//! What `samconfig.toml` says, as `make deploy` uses it.

use anyhow::{Result, ensure};
use local_cloud::{LocalCloud, Options};

#[tokio::test(flavor = "multi_thread")]
async fn sandbox_and_production_are_deployed_beside_each_other_with_the_settings_as_they_come() -> Result<()> {
    let cloud = LocalCloud::start(Options::default()).await?;
    for environment in ["sandbox", "production"] {
        let mut deploy = local_cloud::sam(cloud.endpoint())?;
        let output = deploy.args(["deploy", "--config-env", environment, "--no-confirm-changeset"]).output().await?;
        ensure!(output.status.success(), "{environment}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
