//! The items of a notice and of its recipient.

use anyhow::{Context, Result};
use engagement::Notice;
use local_cloud::LocalCloud;
use serde_json::Value;

pub async fn notice_item(cloud: &LocalCloud, notice: &Notice) -> Result<Value> {
    let items = cloud.scan("NoticesTable").await?;

    items
        .into_iter()
        .find(|item| {
            item["organization_id"] == notice.organization_id.as_str()
                && item["notice"] == notice.notice.to_string()
        })
        .context("the notice is missing")
}

pub async fn contact_item(cloud: &LocalCloud, notice: &Notice) -> Result<Value> {
    let contacts = cloud.scan("ContactsTable").await?;

    contacts
        .into_iter()
        .find(|contact| contact["address_hash"] == notice.address_hash.to_string())
        .context("the contact is missing")
}
