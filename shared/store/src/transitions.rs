//! The `transitions` table: the stages that organizations entered.

mod put;

pub(crate) use put::put;
