//! BILL's webhooks: from the delivery of an event to the organization's new stage.

mod failures;
mod operator_commands;
mod signature_checks;
mod signed;
mod subscription;
pub mod support;
