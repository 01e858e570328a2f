//! Syncs organizations: reads an organization from BILL, decides its stage and the notices that are
//! due, and writes the result at once: one item, or several in a transaction.
//!
//! An SQS queue invokes the function with up to ten messages. Fan-out sends one for each
//! organization that is due. `receive-events` sends one when BILL reports an event of an
//! organization.
//!
//! A message may arrive twice, late, or together with another one for the same organization. A sync
//! runs once per `as_of`, and a result that is older than the stored one is dropped. A message that
//! cannot be processed now, for example because the hour's budget is spent, is completed: its
//! organization stays due, or is made due if an event caused the message.
//!
//! Where to start reading: `handle.rs` runs a batch, `batch_plan.rs` says what it may request,
//! `record.rs` processes one message, `batch.rs` syncs one organization, `snapshot_reader.rs` makes
//! the BILL requests. `events.rs` covers messages of events, `listing.rs` organizations that were
//! never listed, `failure.rs` what a failed sync means for its message.
//!
//! The stages, campaigns and rules of notices are in `engagement`. The crate does not know e-mail
//! texts or e-mail delivery.

mod batch;
mod batch_plan;
mod config;
mod error;
mod event_phase;
mod events;
mod failure;
mod handle;
mod listing;
mod record;
mod request;
mod request_usage;
mod skip;
mod snapshot;
mod snapshot_reader;
mod sync;

pub use config::Config;
pub use sync::Sync;
