//! Searches the functions' logs for personal data and credentials.

use anyhow::{Context, Result, bail, ensure};
use local_cloud::LocalCloud;
use serde_json::{Value, json};

use crate::support::{invoke_ok, logs, organizations, read_event, text_attribute};

/// Asserts that no log line contains what BILL's rows hold about people and companies, or a
/// credential. Call it after the functions have synced many organizations.
pub async fn no_log_line_contains_personal_data_or_credentials(cloud: &LocalCloud) -> Result<()> {
    let private = private_texts(cloud).await?;
    ensure!(
        private.len() > 300,
        "only {} private texts to search for",
        private.len()
    );
    read_messages_of_each_organization(cloud).await?;
    let lines = logs(cloud).await?;
    ensure!(lines.len() > 20, "only {} log lines", lines.len());

    for line in &lines {
        let lower = line.to_lowercase();
        if let Some(found) = private
            .iter()
            .find(|text| lower.contains(&text.to_lowercase()))
        {
            bail!("{found:?} is in the log line {line}");
        }
    }
    Ok(())
}

/// Invokes the in-product function for each organization, so that its log has lines to search.
async fn read_messages_of_each_organization(cloud: &LocalCloud) -> Result<()> {
    let mut event = read_event("in-product-get.json")?;
    for id in organizations(cloud).await?.into_keys() {
        event["rawPath"] = format!("/v1/organizations/{id}/messages").into();
        event["pathParameters"]["organization_id"] = id.into();
        let response = invoke_ok(cloud, "InProductFunction", &event).await?;
        ensure!(response["statusCode"] == 200, "{response}");
    }
    Ok(())
}

/// Credentials, names, addresses and other personal data. Texts of up to three characters are left
/// out, because they occur in other words.
async fn private_texts(cloud: &LocalCloud) -> Result<Vec<String>> {
    let mut private = credential_values(cloud)?;
    for item in cloud.scan("OrganizationsTable").await? {
        let id = text_attribute(&item, "organization_id")?;
        let Some(organization) = cloud.sandbox().organization(&id) else {
            continue;
        };
        private.extend(organization.name);
        for user in organization.users {
            private.extend(
                [user.email, user.first_name, user.last_name]
                    .into_iter()
                    .flatten(),
            );
        }
    }
    private.extend(listed_personal_data(cloud).await?);

    private.retain(|text| text.trim().len() > 3);
    Ok(private)
}

fn credential_values(cloud: &LocalCloud) -> Result<Vec<String>> {
    let credentials: Value = serde_json::from_str(&cloud.sandbox().credentials().to_json())?;

    Ok(credentials
        .as_object()
        .context("the credentials are not an object")?
        .values()
        .filter_map(|value| value.as_str().map(str::to_owned))
        .collect())
}

/// Tax ids, dates of birth, names, phone numbers and addresses, as BILL lists them to the partner.
async fn listed_personal_data(cloud: &LocalCloud) -> Result<Vec<String>> {
    const FIELDS: [&str; 5] = [
        "/taxId",
        "/phone",
        "/companyOwner/dateOfBirth",
        "/companyOwner/name",
        "/address/line1",
    ];

    #[expect(
        clippy::disallowed_methods,
        reason = "a plain client of the sandbox on loopback"
    )]
    let http = reqwest::Client::new();
    let base = cloud.sandbox().url();
    let credentials = cloud.sandbox().credentials();
    let login = json!({
        "username": credentials.username,
        "password": credentials.password,
        "appKey": credentials.app_key,
    });
    let session: Value = http
        .post(format!("{base}/v3/partner/login"))
        .json(&login)
        .send()
        .await?
        .json()
        .await?;

    let page: Value = http
        .get(format!("{base}/v3/partner/organizations?max=100"))
        .header("sessionId", text_attribute(&session, "sessionId")?)
        .header("appKey", &credentials.app_key)
        .send()
        .await?
        .json()
        .await?;
    let rows = page["results"].as_array().context("no results")?;
    Ok(rows
        .iter()
        .flat_map(|row| {
            FIELDS
                .iter()
                .filter_map(|field| Some(row.pointer(field)?.as_str()?.to_owned()))
        })
        .collect())
}
