//! Dismissed in-product messages: items of the `notices` table beside the notices.
//!
//! Their sort keys start with `in-product#`. They have neither `status` nor `due_bucket`, so no
//! index contains them and no query for notices returns them. They do not expire: an episode can
//! last for years, and an item has only some hundred bytes.

use aws_sdk_dynamodb::Client;
use engagement::OrganizationId;
use jiff::Timestamp;

use super::item::key;
use crate::{
    dynamodb::{
        attribute::{number, timestamp},
        get_item::get_item,
        update::ConditionalUpdate,
    },
    error::StoreError,
    schema::SCHEMA_VERSION,
};

/// The dismissals in the `notices` table.
#[derive(Debug, Clone)]
pub struct Dismissals {
    client: Client,
    table: String,
}

impl Dismissals {
    /// Opens the table of that name. Sends no request.
    pub(crate) fn new(client: Client, notices_table: String) -> Self {
        Self {
            client,
            table: notices_table,
        }
    }

    /// Whether a message of an organization was dismissed.
    ///
    /// The read is strongly consistent. Read-only: safe to repeat.
    pub async fn contains(
        &self,
        organization: &OrganizationId,
        message: &str,
    ) -> Result<bool, StoreError> {
        let key = key(organization, &sort_key(message));
        let item = get_item(&self.client, &self.table, key).await?;

        Ok(item.is_some())
    }

    /// Records that a message of an organization was dismissed. The dismissal is permanent.
    ///
    /// A second call keeps the first time. If the process stops before this write, the message is
    /// shown again, so the caller must report the failure.
    pub async fn add(
        &self,
        organization: &OrganizationId,
        message: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let update = ConditionalUpdate {
            table: &self.table,
            key: key(organization, &sort_key(message)),
            update: "SET #dismissed_at = if_not_exists(#dismissed_at, :at), \
                     #schema_version = :schema_version",
            condition: None,
            values: vec![
                (":at", timestamp(at)),
                (":schema_version", number(SCHEMA_VERSION)),
            ],
        };

        update.write(&self.client).await.map(drop)
    }
}

fn sort_key(message: &str) -> String {
    format!("in-product#{message}")
}
