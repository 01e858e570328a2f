//! The DynamoDB tables, one module each.
