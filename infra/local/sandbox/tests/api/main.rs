//! Tests of the sandbox over HTTP. Every response without an injected fault is checked against the
//! contract.
#![expect(
    clippy::unwrap_used,
    reason = "a failure in a helper fails the test that uses it"
)]

mod binary;
mod contract;
mod contract_coverage;
mod control;
mod deliveries;
mod faults;
mod idempotency;
mod limits;
mod openapi;
mod oracle;
mod paging;
mod population;
mod retries;
#[cfg(test)]
mod rights;
mod sessions;
mod sorting_and_filters;
mod subscriptions;
mod support;
