//! Reads contacts, one or many.

use std::collections::{BTreeSet, HashMap};

use engagement::{AddressHash, Contact};
use errors::ErrorType;

use super::{
    item::{key, to_contact},
    table::Contacts,
};
use crate::{
    dynamodb::{
        attribute::from_item,
        batch_get::{ReadOptions, batch_get},
        get_item::get_item,
    },
    error::StoreError,
};

impl Contacts {
    /// The contact of an address; `None` when the table has no item of the address.
    ///
    /// The read is strongly consistent. Read-only: safe to repeat.
    pub async fn get(&self, address: &AddressHash) -> Result<Option<Contact>, StoreError> {
        let item = get_item(&self.client, &self.table, key(address)).await?;

        item.map(|item| to_contact(&self.table, item)).transpose()
    }

    /// The contacts of many addresses. Addresses without an item are left out. An item that cannot
    /// be read is `None`, and is logged: whether the address may receive e-mail is not known.
    ///
    /// The read is strongly consistent. Read-only: safe to repeat.
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
        let options = ReadOptions {
            attributes: None,
            consistent: true,
        };
        let items = batch_get(&self.client, &self.table, keys, options).await?;

        let contacts = items.into_iter().filter_map(|item| {
            let address =
                serde_dynamo::from_attribute_value(item.get("address_hash")?.clone()).ok()?;
            let contact = from_item(item);
            if contact.is_none() {
                tracing::error!(
                    error_type = ErrorType::StoreUnreadable.name(),
                    "a contact cannot be read; its notices stay due"
                );
            }
            Some((address, contact))
        });
        Ok(contacts.collect())
    }
}
