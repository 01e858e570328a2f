//! The library behind `engage`, the operators' command line.
//!
//! An operator runs `engage` against a deployed stack: to subscribe it to BILL's events, to rotate
//! the key that signs them, to enable the subscription after BILL disabled it, and to catch up
//! after an outage. `docs/webhooks.md` describes the commands.
//!
//! Where to start reading:
//!
//! - [`webhooks`]: creates, replaces and deletes the stack's subscription at BILL.
//! - [`replay`]: makes every organization due and starts fan-out.
//! - [`keys`]: the secret that holds the webhook keys and the state of an interrupted command.
//! - [`stack`]: finds URLs, secrets, tables and functions of a stack, from CloudFormation or from
//!   flags, and builds [`webhooks::Webhooks`] and [`replay::Replay`] from them.
//! - [`report`]: the text that the commands print.
//!
//! The library does not parse the command line beyond [`stack::StackArguments`], and it prints
//! nothing. The binary does both. It does not verify deliveries either: that is the job of the
//! function receive-events.

pub mod keys;
pub mod replay;
pub mod report;
pub mod stack;
pub mod webhooks;
