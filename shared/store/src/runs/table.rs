//! The table itself: keys, lifetime, and read and put of items.

use aws_sdk_dynamodb::{Client, error::SdkError};

use crate::{
    dynamodb::{
        attribute::{Item, NOT_NEWER, attribute_names, text},
        get_item::get_item,
    },
    error::StoreError,
};

/// Days after which DynamoDB's time to live deletes an item.
pub const RETENTION_DAYS: i64 = 90;

/// The `runs` table. Several types share it, each with items of its own.
#[derive(Debug, Clone)]
pub struct RunsTable {
    pub client: Client,
    pub name: String,
}

impl RunsTable {
    /// Reads an item (a strongly consistent read); `None` when it does not exist.
    pub async fn read(&self, run: &str) -> Result<Option<Item>, StoreError> {
        get_item(&self.client, &self.name, key(run)).await
    }

    /// Puts an item. Replaces an existing one.
    pub async fn put(&self, item: Item) -> Result<(), StoreError> {
        self.client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item))
            .send()
            .await
            .map(drop)
            .map_err(|error| StoreError::from_sdk_error(&self.name, &error))
    }

    /// Sets and removes attributes of an item, which is created if it does not exist. `set` has the
    /// `schema_version`. `false`: a newer release wrote the item, and nothing was written.
    pub async fn update(&self, run: &str, set: Item, remove: &[&str]) -> Result<bool, StoreError> {
        let assignments: Vec<String> = set
            .keys()
            .map(|name| format!("#{name} = :{name}"))
            .collect();
        let mut expression = format!("SET {}", assignments.join(", "));
        if !remove.is_empty() {
            expression.push_str(" REMOVE #");
            expression.push_str(&remove.join(", #"));
        }
        let values = set
            .into_iter()
            .map(|(name, value)| (format!(":{name}"), value));

        let updated = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(run)))
            .condition_expression(NOT_NEWER)
            .set_expression_attribute_names(Some(attribute_names(&[&expression, NOT_NEWER])))
            .set_expression_attribute_values(Some(values.collect()))
            .update_expression(expression)
            .send()
            .await;
        match updated {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(error))
                if error.err().is_conditional_check_failed_exception() =>
            {
                Ok(false)
            }
            Err(error) => Err(StoreError::from_sdk_error(&self.name, &error)),
        }
    }
}

/// The key of an item.
pub fn key(run: &str) -> Item {
    [("run".to_owned(), text(run))].into()
}
