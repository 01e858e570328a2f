//! What users closed in the partner's own product: items of the `notices` table beside the notices.
//!
//! Their key begins with `in-product#`, and they have neither `status` nor `due_bucket`: no index
//! holds them, and nothing that looks for notices finds them. They are kept for good: an episode
//! may last for years, and one weighs some hundred bytes.

use aws_sdk_dynamodb::Client;
use engagement::OrganizationId;
use jiff::Timestamp;

use crate::{
    SCHEMA_VERSION,
    attribute::{Item, moment, number, text},
    change::Change,
    error::StoreError,
};

/// The dismissals in the `notices` table.
#[derive(Debug, Clone)]
pub struct Dismissals {
    client: Client,
    table: String,
}

impl Dismissals {
    /// The table of that name.
    pub fn new(client: Client, notices_table: String) -> Self {
        Self {
            client,
            table: notices_table,
        }
    }

    /// Whether a message of an organization was dismissed, every earlier write included.
    ///
    /// Reads only: may be repeated at will.
    pub async fn contains(
        &self,
        organization: &OrganizationId,
        message: &str,
    ) -> Result<bool, StoreError> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(organization, message)))
            .consistent_read(true);
        let found = request
            .send()
            .await
            .map_err(|error| StoreError::from_sdk_error(&self.table, &error))?;
        Ok(found.item.is_some())
    }

    /// Notes that a message of an organization was dismissed. It stays dismissed; the first moment
    /// is the one that is kept.
    ///
    /// May be repeated. Lost, the message is shown again, so the caller says that it failed.
    pub async fn add(
        &self,
        organization: &OrganizationId,
        message: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let change = Change {
            table: &self.table,
            key: key(organization, message),
            update: "SET #dismissed_at = if_not_exists(#dismissed_at, :at), #schema_version = :schema_version",
            condition: None,
            values: vec![
                (":at", moment(at)),
                (":schema_version", number(SCHEMA_VERSION)),
            ],
        };
        change.write(&self.client).await.map(drop)
    }
}

fn key(organization: &OrganizationId, message: &str) -> Item {
    [
        ("organization_id".to_owned(), text(organization)),
        ("notice".to_owned(), text(&format!("in-product#{message}"))),
    ]
    .into()
}
