//! The commands of `engage`, against the BILL sandbox and fakes of the AWS services that they call.
#![expect(clippy::unwrap_used, reason = "a failed test helper fails the test")]

mod fake_secrets_manager;
mod replay;
mod resume;
mod resume_after_changes;
mod rotation;
mod support;
mod webhooks;
