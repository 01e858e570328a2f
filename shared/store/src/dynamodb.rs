//! The calls of DynamoDB that the tables share, with the retries that the SDK does not make.

pub mod attribute;
pub mod batch_get;
pub mod get_item;
pub mod put;
pub mod transaction;
pub mod update;

mod backoff;
