//! One item changed under a condition.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    config::{self, retry::RetryConfig},
    error::SdkError,
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure, Update},
};
use backon::{BackoffBuilder, ExponentialBuilder};

use crate::{
    attribute::{Item, names},
    error::StoreError,
};

/// A conditional update of one item. Expressions write every attribute as a `#placeholder`.
pub struct Change<'a> {
    pub table: &'a str,
    pub key: Item,
    pub update: &'a str,
    pub condition: Option<&'a str>,
    pub values: Vec<(&'static str, AttributeValue)>,
}

/// What came of a conditional write.
#[derive(Debug, PartialEq)]
pub enum Changed {
    /// It was written.
    Yes,
    /// The condition did not hold. The item as it stands; empty when there is none.
    No(Item),
}

impl Change<'_> {
    /// Writes it, repeating while others hold the item in a transaction.
    pub async fn write(self, client: &Client) -> Result<Changed, StoreError> {
        let (changed, _) = self
            .write_with(client, config::Builder::new(), ReturnValue::None)
            .await?;
        Ok(changed)
    }

    /// Writes it as [`Change::write`] does. The item as it then stands; after a condition that did
    /// not hold, as it stood.
    pub async fn write_returning_new(self, client: &Client) -> Result<Item, StoreError> {
        match self
            .write_with(client, config::Builder::new(), ReturnValue::AllNew)
            .await?
        {
            (Changed::Yes, item) | (Changed::No(item), _) => Ok(item),
        }
    }

    /// Writes it without the SDK's retries: for a change that must not happen twice when an answer
    /// is lost.
    pub async fn write_without_retries(self, client: &Client) -> Result<Changed, StoreError> {
        let overrides = config::Builder::new().retry_config(RetryConfig::disabled());
        let (changed, _) = self
            .write_with(client, overrides, ReturnValue::None)
            .await?;
        Ok(changed)
    }

    /// What came of it, and of the item what was to be returned.
    async fn write_with(
        self,
        client: &Client,
        overrides: config::Builder,
        returned: ReturnValue,
    ) -> Result<(Changed, Item), StoreError> {
        let names = self.names();
        let mut pauses = pauses();
        loop {
            let mut request = client
                .update_item()
                .table_name(self.table)
                .set_key(Some(self.key.clone()))
                .update_expression(self.update)
                .set_condition_expression(self.condition.map(str::to_owned))
                .set_expression_attribute_names(Some(names.clone()))
                .return_values(returned.clone())
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                );
            for (placeholder, value) in &self.values {
                request = request.expression_attribute_values(*placeholder, value.clone());
            }
            let sent = request
                .customize()
                .config_override(overrides.clone())
                .send()
                .await;
            let error = match sent {
                Ok(output) => return Ok((Changed::Yes, output.attributes.unwrap_or_default())),
                Err(error) => error,
            };
            if let SdkError::ServiceError(service) = &error
                && let UpdateItemError::ConditionalCheckFailedException(failed) = service.err()
            {
                return Ok((
                    Changed::No(failed.item().cloned().unwrap_or_default()),
                    Item::new(),
                ));
            }
            match (
                StoreError::from_sdk_error(self.table, &error),
                pauses.next(),
            ) {
                (StoreError::Conflict { .. }, Some(pause)) => tokio::time::sleep(pause).await,
                (error, _) => return Err(error),
            }
        }
    }

    /// The same as a member of a transaction.
    pub fn into_update(self) -> Result<Update, StoreError> {
        let names = self.names();
        Update::builder()
            .table_name(self.table)
            .set_key(Some(self.key))
            .update_expression(self.update)
            .set_condition_expression(self.condition.map(str::to_owned))
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(
                self.values
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect(),
            ))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(|_| StoreError::from_code(self.table, "request not built", None))
    }

    fn names(&self) -> HashMap<String, String> {
        names(&[self.update, self.condition.unwrap_or_default()])
    }
}

/// Pauses between repeated attempts: five, growing from 25 milliseconds, with jitter; less than two
/// seconds in all.
pub fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_jitter()
        .with_min_delay(Duration::from_millis(25))
        .with_max_times(5)
        .build()
}
