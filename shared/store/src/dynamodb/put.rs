//! Conditional puts of whole items, alone or within a transaction.

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::put_item::PutItemError,
    types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, builders::PutBuilder},
};

use crate::{
    dynamodb::{attribute::attribute_names, backoff::backoff},
    error::{StoreError, StoreErrorKind},
};

/// Adds a condition, whose attributes are `#placeholders`.
pub fn with_condition(put: PutBuilder, condition: &str) -> PutBuilder {
    put.condition_expression(condition)
        .set_expression_attribute_names(Some(attribute_names(&[condition])))
}

/// The put of an item into a table. An `Err` is permanent: the SDK cannot build the request.
pub fn build_put(table: &str, put: PutBuilder) -> Result<Put, StoreError> {
    put.table_name(table)
        .build()
        .map_err(|_| StoreError::request_not_built(table))
}

/// The put as an item of `TransactWriteItems`. An `Err` is permanent: the SDK cannot build the
/// request.
pub fn transact_put(table: &str, put: PutBuilder) -> Result<TransactWriteItem, StoreError> {
    Ok(TransactWriteItem::builder()
        .put(build_put(table, put)?)
        .build())
}

/// Puts one item without a transaction, which costs half as much, and retries while transactions
/// hold the item. `false` means that the condition did not hold and nothing was written.
///
/// A retry after a lost response finds the item that it wrote before, and is `true`.
pub async fn put_item(client: &Client, put: Put) -> Result<bool, StoreError> {
    let mut delays = backoff();

    loop {
        let sent = client
            .put_item()
            .table_name(put.table_name())
            .set_item(Some(put.item().clone()))
            .set_condition_expression(put.condition_expression().map(str::to_owned))
            .set_expression_attribute_names(put.expression_attribute_names().cloned())
            .set_expression_attribute_values(put.expression_attribute_values().cloned())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = sent else {
            return Ok(true);
        };
        if let SdkError::ServiceError(service) = &error
            && let PutItemError::ConditionalCheckFailedException(failed) = service.err()
        {
            return Ok(failed.item() == Some(put.item()));
        }

        let error = StoreError::from_sdk_error(put.table_name(), &error);
        match (error.kind(), delays.next()) {
            (StoreErrorKind::Conflict, Some(delay)) => tokio::time::sleep(delay).await,
            _ => return Err(error),
        }
    }
}
