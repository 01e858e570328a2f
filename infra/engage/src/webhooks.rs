//! The stack's subscription to BILL's events.
//!
//! BILL has no call that changes the URL or the key of a subscription, and rejects a second one
//! with the same events and URL. So a subscription is replaced with one whose URL differs only in
//! its query (`?v=2`): the new one is created, its key is stored beside the old one, and then the
//! old one is deleted. At any time at least one of them delivers. A delivery whose key is not
//! stored yet is rejected, and BILL retries it.
//!
//! Each step is stored before the next begins, so running an interrupted command again completes
//! it.

mod commands;
mod replacement;
mod stack_subscriptions;

pub use commands::Enabled;
pub use replacement::SubscriptionChange;
pub use stack_subscriptions::{Webhooks, receiver};
