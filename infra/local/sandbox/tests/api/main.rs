//! What the sandbox does, seen over HTTP. Every answer that is not broken on purpose is checked
//! against the contract.
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests fail a test as tests do"
)]

mod binary;
mod contract;
mod control;
mod deliveries;
mod faults;
mod limits;
mod lists;
mod openapi;
mod population;
mod sessions;
mod subscriptions;
mod support;
mod tour;
