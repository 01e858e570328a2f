//! From a due notice to an e-mail, SES's feedback about it, and the unsubscribe page.

mod concurrent_delivery;
mod crashes;
mod daily_limit;
mod email_format;
mod feedback;
mod fixtures;
pub mod outbox;
pub mod sent_call;
mod unsubscribe;
mod unsubscribe_page;
