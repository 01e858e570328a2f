//! BILL's webhooks ("Connect Events API", version 1): verification and parsing of notifications,
//! and the subscriptions that cause them.

mod notification;
mod signature;
mod subscription;
mod subscriptions_client;

pub use notification::{EventType, Notification, NotificationError};
pub use signature::{SIGNATURE_HEADER, SecurityKey, SecurityKeys};
pub use subscription::{InvalidSubscriptionId, Subscription, SubscriptionId, SubscriptionStatus};
pub use subscriptions_client::{CreatedSubscription, SubscriptionsClient, TestEventResult};
