//! What the tests share: fixtures, a partner's HTTP client and a subscriber's HTTP server.

mod fixtures;
mod partner;
mod subscriber;

pub use self::{
    fixtures::{
        days_before_start, new_idempotency_key, options, organization_with_payments, start_time,
        subscription_request,
    },
    partner::{ApiResponse, Partner},
    subscriber::{SubscribedPartner, Subscriber, event_types, subscribed_partner},
};
