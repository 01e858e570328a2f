//! The result of a sync is written in one transaction, and only over the record that it is based
//! on.

mod concurrency;
mod retries;
mod write_units;
mod writes;
