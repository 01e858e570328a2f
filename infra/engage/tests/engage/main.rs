//! The commands about webhooks, with the sandbox as BILL and stand-ins for what they use of AWS.
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests fail a test as tests do"
)]

mod aftermath;
mod interruptions;
mod replay;
mod rotation;
mod secrets;
mod support;
mod webhooks;
