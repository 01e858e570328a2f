//! Unsubscribes and resubscribes an address.
//!
//! Each operation is one unconditional update of its own attributes, so that a concurrent write to
//! the same item is not lost.

use engagement::{Category, Contact, EmailSubscription};
use jiff::Timestamp;

use super::{
    item::{key, to_contact},
    table::Contacts,
};
use crate::{
    dynamodb::{
        attribute::{number, timestamp},
        update::ConditionalUpdate,
    },
    error::StoreError,
    schema::SCHEMA_VERSION,
};

const UNSUBSCRIBED_ALL: &str = "#unsubscribed_all";

/// What a recipient unsubscribes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsubscribeScope {
    /// The e-mails of the subscription's category.
    Category,
    /// All e-mails.
    All,
}

impl Contacts {
    /// Unsubscribes an address from the subscription's category, or from all e-mails. Creates the
    /// item of an unknown address. Returns the contact after the update.
    ///
    /// A second call keeps the first time and increases the version. If the process stops before
    /// this write, the recipient still receives e-mails, so the caller must report the failure.
    /// [`Unreadable`](crate::StoreErrorKind::Unreadable) is returned after the write: the address is
    /// unsubscribed.
    pub async fn unsubscribe(
        &self,
        subscription: &EmailSubscription,
        scope: UnsubscribeScope,
        at: Timestamp,
    ) -> Result<Contact, StoreError> {
        let attribute = match scope {
            UnsubscribeScope::Category => unsubscribe_attribute(subscription.category),
            UnsubscribeScope::All => UNSUBSCRIBED_ALL,
        };
        let expression = format!(
            "SET {attribute} = if_not_exists({attribute}, :at), \
             #schema_version = :schema_version ADD #version :one"
        );
        let update = ConditionalUpdate {
            table: &self.table,
            key: key(&subscription.address_hash),
            update: &expression,
            condition: None,
            values: vec![
                (":at", timestamp(at)),
                (":one", number(1)),
                (":schema_version", number(SCHEMA_VERSION)),
            ],
        };

        let item = update.write_returning_new(&self.client).await?;
        to_contact(&self.table, item)
    }

    /// Resubscribes an address to the subscription's category: removes the unsubscribe times of
    /// that category and of all e-mails. Those of other categories stay, and so do bounces and
    /// complaints. Returns the contact after the update.
    ///
    /// Safe to repeat, but the SDK's retry after a lost response may remove an unsubscribe time
    /// that was set in between. If the process stops before this write, the recipient receives no
    /// e-mails. [`Unreadable`](crate::StoreErrorKind::Unreadable) is returned after the write: the
    /// times are removed.
    pub async fn resubscribe(
        &self,
        subscription: &EmailSubscription,
    ) -> Result<Contact, StoreError> {
        let attribute = unsubscribe_attribute(subscription.category);
        let expression = format!(
            "SET #schema_version = :schema_version \
             REMOVE {attribute}, {UNSUBSCRIBED_ALL} ADD #version :one"
        );
        let update = ConditionalUpdate {
            table: &self.table,
            key: key(&subscription.address_hash),
            update: &expression,
            condition: None,
            values: vec![
                (":one", number(1)),
                (":schema_version", number(SCHEMA_VERSION)),
            ],
        };

        let item = update.write_returning_new(&self.client).await?;
        to_contact(&self.table, item)
    }
}

/// The placeholder of the category's unsubscribe time. The attributes have the names of the fields
/// of [`Contact`].
fn unsubscribe_attribute(category: Category) -> &'static str {
    match category {
        Category::Onboarding => "#unsubscribed_onboarding",
        Category::Reengagement => "#unsubscribed_reengagement",
        Category::Product => "#unsubscribed_product",
    }
}
