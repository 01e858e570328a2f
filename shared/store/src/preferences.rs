//! What the owner of an address wants: marks on its item of the `contacts` table.
//!
//! Each change is one update without a condition: whatever else is written to the item at the same
//! time, neither is lost.

use engagement::{Category, Contact, Subscription};
use jiff::Timestamp;

use crate::{
    SCHEMA_VERSION,
    attribute::{moment, number},
    change::Change,
    contacts::{Contacts, key},
    error::StoreError,
};

/// What somebody leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The mails of the subscription's category.
    Category,
    /// All mails.
    All,
}

impl Contacts {
    /// No more mails of the subscription's category, or none at all. The contact as it then stands;
    /// an address of which nothing was known gets its item.
    ///
    /// May be repeated: the first moment stays, the version goes up. Lost, the recipient still gets
    /// mails, so the caller says that it failed. [`StoreError::Unreadable`] comes after the write:
    /// the mark is there.
    pub async fn leave(
        &self,
        subscription: &Subscription,
        scope: Scope,
        at: Timestamp,
    ) -> Result<Contact, StoreError> {
        let mark = match scope {
            Scope::Category => unsubscribe_attribute(subscription.category),
            Scope::All => UNSUBSCRIBED_ALL,
        };
        let update = format!(
            "SET {mark} = if_not_exists({mark}, :at), #schema_version = :schema_version ADD #version :one"
        );
        let change = Change {
            table: &self.table,
            key: key(&subscription.address_hash),
            update: &update,
            condition: None,
            values: vec![
                (":at", moment(at)),
                (":one", number(1)),
                (":schema_version", number(SCHEMA_VERSION)),
            ],
        };
        self.contact(change.write_returning_new(&self.client).await?)
    }

    /// Mails of the subscription's category again: takes away its mark and that of all mails. The
    /// marks of other categories stay, and so does what mail servers and complaints said. The
    /// contact as it then stands.
    ///
    /// May be repeated. An attempt whose answer was lost is repeated too, and may take away a mark
    /// that was set in between. Lost, the recipient gets no mails. [`StoreError::Unreadable`] comes
    /// after the write: the marks are gone.
    pub async fn come_back(&self, subscription: &Subscription) -> Result<Contact, StoreError> {
        let mark = unsubscribe_attribute(subscription.category);
        let update = format!(
            "SET #schema_version = :schema_version REMOVE {mark}, {UNSUBSCRIBED_ALL} ADD #version :one"
        );
        let change = Change {
            table: &self.table,
            key: key(&subscription.address_hash),
            update: &update,
            condition: None,
            values: vec![
                (":one", number(1)),
                (":schema_version", number(SCHEMA_VERSION)),
            ],
        };
        self.contact(change.write_returning_new(&self.client).await?)
    }
}

const UNSUBSCRIBED_ALL: &str = "#unsubscribed_all";

/// Named as the fields of [`Contact`] are.
fn unsubscribe_attribute(category: Category) -> &'static str {
    match category {
        Category::Onboarding => "#unsubscribed_onboarding",
        Category::Reengagement => "#unsubscribed_reengagement",
        Category::Product => "#unsubscribed_product",
    }
}
