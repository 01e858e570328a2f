//! The `contacts` table: how often an address was written to, and what its owner wants. It holds no address, only its pseudonym.

use aws_sdk_dynamodb::Client;
use engagement::{AddressHash, Contact};
use jiff::Timestamp;

use crate::{
    SCHEMA_VERSION,
    attribute::{Item, from_item, moment, number, text},
    change::Change,
    error::StoreError,
};

/// The `contacts` table.
#[derive(Debug, Clone)]
pub struct Contacts {
    pub(crate) client: Client,
    pub(crate) table: String,
}

impl Contacts {
    /// The table of that name.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// What is known of an address, every earlier write included; `None` when nothing is.
    ///
    /// Reads only: may be repeated at will.
    pub async fn get(&self, address: &AddressHash) -> Result<Option<Contact>, StoreError> {
        let sent = self.client.get_item().table_name(&self.table).set_key(Some(key(address))).consistent_read(true).send().await;
        let item = sent.map_err(|error| StoreError::of_call(&self.table, &error))?.item;
        item.map(|item| self.contact(item)).transpose()
    }

    pub(crate) fn contact(&self, item: Item) -> Result<Contact, StoreError> {
        from_item(item).ok_or_else(|| StoreError::Unreadable { table: self.table.clone(), key: "address_hash".to_owned() })
    }
}

/// Counts one more mail to an address.
pub(crate) fn one_more_mail<'a>(table: &'a str, address: &AddressHash, at: Timestamp) -> Change<'a> {
    Change {
        table,
        key: key(address),
        update: "SET #last_mail_at = :at, #schema_version = :schema_version ADD #mails :one",
        condition: None,
        values: vec![(":at", moment(at)), (":one", number(1)), (":schema_version", number(SCHEMA_VERSION))],
    }
}

pub(crate) fn key(address: &AddressHash) -> Item {
    [("address_hash".to_owned(), text(address))].into()
}
