//! Fan-out: finds the organizations that are due, and queues a sync for each.
//!
//! A schedule invokes the function every hour. A run takes these steps:
//!
//! 1. After an update from the last release, it adds its items to the index `by-next-check`.
//! 2. It lists the organizations that are new at BILL and puts a row for each, which is due.
//! 3. If an operator asked for it with `{"all": true}`, it makes every organization due.
//! 4. It queries the index and sends a [`SyncRequest`] for each organization that is due, the
//!    longest overdue first, as far as the hour's budget goes. `sync-organization` handles them.
//! 5. Once a day it lists all organizations, writes who was archived, restored or renamed, and
//!    leaves the statistics of the day. Whoever becomes due by that is queued too.
//!
//! Whether an organization is due is data in the table, not a position in a run. What a run leaves
//! undone because the hour's budget is spent, the deadline is near or the process stops is still
//! due in the next run. How far the listings got is in the item `cursor` of the table `runs`. A run
//! can be retried safely: a sync that was done already is skipped.
//!
//! Where to start reading: `fan_out.rs` runs once per invocation, `run.rs` takes the steps, which
//! are in `steps`, `page_reader.rs` reads pages within the budget, `queue.rs` sends to SQS.
//!
//! The crate does not know what a stage or a notice is. It reads no organization beyond its row in
//! the list.
//!
//! [`SyncRequest`]: engagement::SyncRequest

mod config;
mod fan_out;
mod listed;
mod page_reader;
mod queue;
mod run;
mod steps;
mod summary;

pub use config::Config;
pub use fan_out::FanOut;
pub use summary::{RunOutcome, Summary};
