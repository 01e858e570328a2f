//! Puts of whole items within a transaction.

use aws_sdk_dynamodb::types::{TransactWriteItem, builders::PutBuilder};

use crate::{dynamodb::attribute::attribute_names, error::StoreError};

/// Adds a condition, whose attributes are `#placeholders`.
pub fn with_condition(put: PutBuilder, condition: &str) -> PutBuilder {
    put.condition_expression(condition)
        .set_expression_attribute_names(Some(attribute_names(&[condition])))
}

/// The put as an item of `TransactWriteItems`. An `Err` is permanent: the SDK cannot build the
/// request.
pub fn transact_put(table: &str, put: PutBuilder) -> Result<TransactWriteItem, StoreError> {
    let put = put
        .table_name(table)
        .build()
        .map_err(|_| StoreError::request_not_built(table))?;

    Ok(TransactWriteItem::builder().put(put).build())
}
