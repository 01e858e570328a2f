//! The `contacts` table: who must not be written to, and how often someone was. It holds no
//! address, only its pseudonym.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use engagement::{AddressHash, Contact, EventStamp};
use jiff::SignedDuration;

use crate::{
    SCHEMA_VERSION,
    attribute::{Item, from_item, number, text},
    batch::{self, Projection},
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
        let sent = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(address)))
            .consistent_read(true)
            .send()
            .await;
        let item = sent
            .map_err(|error| StoreError::from_sdk_error(&self.table, &error))?
            .item;
        item.map(|item| self.contact(item)).transpose()
    }

    pub(crate) fn contact(&self, item: Item) -> Result<Contact, StoreError> {
        from_item(item).ok_or_else(|| StoreError::Unreadable {
            table: self.table.clone(),
            key: "address_hash".to_owned(),
        })
    }

    /// The same of many addresses; those of which nothing is known are left out.
    ///
    /// One that cannot be read is an error for whoever asks for it alone, and is told here by
    /// [`None`]: nobody knows whether the address may be written to.
    pub async fn get_many(
        &self,
        addresses: impl IntoIterator<Item = AddressHash>,
    ) -> Result<HashMap<AddressHash, Option<Contact>>, StoreError> {
        let keys = addresses
            .into_iter()
            .collect::<BTreeSet<_>>()
            .iter()
            .map(key)
            .collect();
        let items = batch::get(
            &self.client,
            &self.table,
            keys,
            Projection {
                attributes: None,
                consistent: true,
            },
        )
        .await?;
        let contacts = items.into_iter().filter_map(|item| {
            let address =
                serde_dynamo::from_attribute_value(item.get("address_hash")?.clone()).ok()?;
            let contact = from_item(item);
            if contact.is_none() {
                tracing::error!(
                    error_type = "store_unreadable",
                    "a contact cannot be read; its notices stay due"
                );
            }
            Some((address, contact))
        });
        Ok(contacts.collect())
    }
}

/// One mail more to an address, under the condition that nothing has happened to the contact since
/// it was read.
pub(crate) fn count_email<'a>(
    table: &'a str,
    address: &AddressHash,
    read: Option<&Contact>,
    mark: &EventStamp,
    count_retention: SignedDuration,
) -> Change<'a> {
    let is_counted =
        |earlier: &&EventStamp| mark.at().duration_since(earlier.at()) < count_retention;
    let earlier = read
        .into_iter()
        .flat_map(|contact| &contact.recent_mails)
        .filter(is_counted);
    let recent = AttributeValue::Ss(earlier.chain([mark]).map(ToString::to_string).collect());
    let mut values = vec![
        (":recent", recent),
        (":one", number(1)),
        (":schema_version", number(SCHEMA_VERSION)),
    ];
    let condition = match read
        .map(|contact| contact.version)
        .filter(|version| *version > 0)
    {
        Some(version) => {
            values.push((":version", number(version)));
            "#version = :version"
        }
        None => "attribute_not_exists(#version)",
    };
    Change {
        table,
        key: key(address),
        update: "SET #recent_mails = :recent, #schema_version = :schema_version ADD #mails :one, #version :one",
        condition: Some(condition),
        values,
    }
}

/// One mail less to an address: the one of the mark was not sent after all. Only to be written
/// together with what makes sure that it is written once.
pub(crate) fn uncount_email<'a>(
    table: &'a str,
    address: &AddressHash,
    mark: &EventStamp,
) -> Change<'a> {
    Change {
        table,
        key: key(address),
        update: "ADD #mails :less, #version :one DELETE #recent_mails :mark",
        condition: None,
        values: vec![
            (":less", number(-1)),
            (":one", number(1)),
            (":mark", AttributeValue::Ss(vec![mark.to_string()])),
        ],
    }
}

pub(crate) fn key(address: &AddressHash) -> Item {
    [("address_hash".to_owned(), text(address))].into()
}
