//! Conditional updates of one item.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    config::{self, retry::RetryConfig},
    error::SdkError,
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure, Update},
};

use crate::{
    dynamodb::{
        attribute::{Item, attribute_names},
        backoff::backoff,
    },
    error::{StoreError, StoreErrorKind},
};

/// A conditional update of one item. Every attribute in its expressions is a `#placeholder`.
pub struct ConditionalUpdate<'a> {
    /// Name of the table.
    pub table: &'a str,
    /// Key of the item.
    pub key: Item,
    /// The update expression.
    pub update: &'a str,
    /// The condition expression; `None`: the update is unconditional.
    pub condition: Option<&'a str>,
    /// The expressions' values with their `:placeholders`.
    pub values: Vec<(&'static str, AttributeValue)>,
}

/// The outcome of a conditional update.
#[derive(Debug, PartialEq)]
pub enum UpdateOutcome {
    /// The update was written.
    Applied,
    /// The condition did not hold, and nothing was written. Contains the current item; empty when
    /// there is none.
    ConditionFailed(Item),
}

impl ConditionalUpdate<'_> {
    /// Writes the update, and retries while transactions hold the item.
    pub async fn write(self, client: &Client) -> Result<UpdateOutcome, StoreError> {
        let (outcome, _) = self
            .write_with(client, config::Builder::new(), ReturnValue::None)
            .await?;

        Ok(outcome)
    }

    /// Writes the update as [`ConditionalUpdate::write`] does. Returns the item after the update,
    /// or the current item when the condition did not hold.
    pub async fn write_returning_new(self, client: &Client) -> Result<Item, StoreError> {
        let written = self
            .write_with(client, config::Builder::new(), ReturnValue::AllNew)
            .await?;

        match written {
            (UpdateOutcome::Applied, item) | (UpdateOutcome::ConditionFailed(item), _) => Ok(item),
        }
    }

    /// Writes the update without the SDK's retries: for an update that must not be applied twice
    /// when a response is lost.
    pub async fn write_without_retries(self, client: &Client) -> Result<UpdateOutcome, StoreError> {
        let overrides = config::Builder::new().retry_config(RetryConfig::disabled());
        let (outcome, _) = self
            .write_with(client, overrides, ReturnValue::None)
            .await?;

        Ok(outcome)
    }

    /// The update as a part of a transaction. An `Err` is permanent: the SDK cannot build the
    /// request.
    pub fn into_update(self) -> Result<Update, StoreError> {
        let attribute_names = self.attribute_names();
        let values = self
            .values
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();

        Update::builder()
            .table_name(self.table)
            .set_key(Some(self.key))
            .update_expression(self.update)
            .set_condition_expression(self.condition.map(str::to_owned))
            .set_expression_attribute_names(Some(attribute_names))
            .set_expression_attribute_values(Some(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(|_| StoreError::request_not_built(self.table))
    }

    /// Returns the outcome and the attributes that `return_values` asks for.
    async fn write_with(
        self,
        client: &Client,
        overrides: config::Builder,
        return_values: ReturnValue,
    ) -> Result<(UpdateOutcome, Item), StoreError> {
        let mut delays = backoff();

        loop {
            let sent = self
                .request(client)
                .return_values(return_values.clone())
                .customize()
                .config_override(overrides.clone())
                .send()
                .await;

            let error = match sent {
                Ok(output) => {
                    let returned = output.attributes.unwrap_or_default();
                    return Ok((UpdateOutcome::Applied, returned));
                }
                Err(error) => error,
            };
            if let SdkError::ServiceError(service) = &error
                && let UpdateItemError::ConditionalCheckFailedException(failed) = service.err()
            {
                let current = failed.item().cloned().unwrap_or_default();
                return Ok((UpdateOutcome::ConditionFailed(current), Item::new()));
            }

            let error = StoreError::from_sdk_error(self.table, &error);
            match (error.kind(), delays.next()) {
                (StoreErrorKind::Conflict, Some(delay)) => tokio::time::sleep(delay).await,
                _ => return Err(error),
            }
        }
    }

    fn request(&self, client: &Client) -> UpdateItemFluentBuilder {
        let request = client
            .update_item()
            .table_name(self.table)
            .set_key(Some(self.key.clone()))
            .update_expression(self.update)
            .set_condition_expression(self.condition.map(str::to_owned))
            .set_expression_attribute_names(Some(self.attribute_names()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);

        self.values
            .iter()
            .fold(request, |request, (placeholder, value)| {
                request.expression_attribute_values(*placeholder, value.clone())
            })
    }

    fn attribute_names(&self) -> HashMap<String, String> {
        attribute_names(&[self.update, self.condition.unwrap_or_default()])
    }
}
