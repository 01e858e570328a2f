//! `engage`, the command line with which operators run a deployed stack.
//!
//! The binary (`main.rs`) parses the arguments, runs one command and prints its output. The library
//! holds what the commands do, so that tests call it without starting a process:
//!
//! - [`stack`] finds the resources of a stack from its outputs and parameters, or from flags.
//! - [`webhooks`] subscribes the stack to BILL's events and replaces its signing key.
//! - [`keys`] reads and writes the secret with the keys and the state of interrupted commands.
//! - [`replay`] makes every organization due and starts fan-out.
//! - [`report`] formats the output: text for people, JSON for programs.
//!
//! The command runs with the AWS credentials of its user. It never prints a key. It expects that
//! only one operator changes a stack at a time.

pub mod keys;
pub mod replay;
pub mod report;
pub mod stack;
pub mod webhooks;
