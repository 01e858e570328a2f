//! The rows of a list.

use serde_json::Value;

/// Rows that are generated when they are read.
pub(crate) trait Rows {
    /// The number of rows, including archived ones.
    fn len(&self) -> usize;

    /// One row in BILL's format. `position` must be below [`Self::len`].
    fn row(&self, position: usize) -> Value;

    /// Whether this row is archived.
    fn is_archived(&self, position: usize) -> bool;

    /// Whether the rows are in the order of `createdTime`, oldest first.
    fn oldest_first(&self) -> bool;

    /// The position of the row with this id. `None` if it cannot be determined without searching
    /// all rows.
    fn position_of(&self, id: &str) -> Option<usize>;
}
