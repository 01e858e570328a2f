//! Stories of the way from a notice to an e-mail.

mod crowd;
mod daily_limit;
mod deaths;
mod feedback;
mod mail_quality;
mod outbox;
mod unsubscribe;
mod unsubscribe_page;
