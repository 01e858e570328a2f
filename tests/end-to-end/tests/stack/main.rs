//! End-to-end tests of the deployed stack: real binaries, real template, local cloud.
//!
//! Start with `pipeline.rs`: it follows organizations from the schedule to the e-mail.

mod artifacts;
mod bad_input;
mod browser;
mod budget;
mod credentials;
mod delivery;
mod events;
mod in_product;
mod pipeline;
mod preferences_client;
mod privacy;
mod roles;
mod samconfig;
mod sample_events;
mod smtp_server;
mod support;
#[cfg(test)]
mod upgrade;
