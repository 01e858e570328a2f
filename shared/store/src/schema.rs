//! The version of the items' format.

/// Format version of the items. Every item has it in the attribute `schema_version`.
pub const SCHEMA_VERSION: u8 = 1;
