//! BILL's webhooks: the keys that sign them, what they say, and the subscriptions that cause them
//! ("Connect Events API", version 1).

mod notification;
mod signature;
mod subscription;
mod subscriptions;

pub use notification::{EventType, Notification, NotificationError};
pub use signature::{SIGNATURE_HEADER, SecurityKey, SecurityKeys};
pub use subscription::{InvalidSubscriptionId, Subscription, SubscriptionId, SubscriptionStatus};
pub use subscriptions::{Created, Subscriptions, TestEvent};
