//! The commands about webhooks, with the sandbox as BILL and a stand-in for Secrets Manager.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail a test as tests do")]

mod interruptions;
mod rotation;
mod secrets;
mod support;
mod webhooks;
