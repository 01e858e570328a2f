//! How a row violates the contract.

use serde::{Deserialize, Serialize};

/// How a row violates the contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowDefect {
    /// The row conforms to the contract.
    #[default]
    None,
    /// The row has no `id`.
    WithoutId,
    /// The row has no `createdTime`.
    WithoutCreatedTime,
    /// The amount is a string instead of a number. Payments only.
    AmountAsText,
    /// The row is a string instead of an object.
    NotAnObject,
}
