//! Fan-out: lists the partner's organizations and queues a sync for each one that is due.
//!
//! A schedule invokes the function every hour. It reads the list of organizations from BILL page by
//! page, compares each page with the `organizations` table, and sends a [`SyncRequest`] for every
//! organization that is due to the sync queue. `sync-organization` handles the requests.
//!
//! Whether an organization is due is data in the table, not a position in a run. What a run leaves
//! undone because the hour's budget is spent, the deadline is near or the process stops is still
//! due in the next run, which continues at the saved page. A run can be retried safely: a sync
//! that was done already is skipped.
//!
//! Where to start reading: `fan_out.rs` runs once per invocation, `sweep.rs` reads the list,
//! `page.rs` decides which organizations of a page are due, `queue.rs` sends to SQS.
//!
//! The crate does not know what a stage or a notice is. It reads no organization beyond its row in
//! the list.
//!
//! [`SyncRequest`]: engagement::SyncRequest

mod config;
mod fan_out;
mod page;
mod queue;
mod summary;
mod sweep;

pub use config::Config;
pub use fan_out::FanOut;
pub use summary::{RunOutcome, Summary};
