//! Keys of the items, and the conversion from item to contact.

use engagement::{AddressHash, Contact};

use crate::{
    dynamodb::attribute::{Item, from_item, text},
    error::StoreError,
};

/// The key of an address's item.
pub fn key(address: &AddressHash) -> Item {
    [("address_hash".to_owned(), text(address))].into()
}

/// The contact of an item. An `Err` is [`StoreErrorKind::Unreadable`], without the pseudonym.
pub fn to_contact(table: &str, item: Item) -> Result<Contact, StoreError> {
    from_item(item).ok_or_else(|| StoreError::unreadable(table, "address_hash"))
}
